"""Folders of SMB shares, without a mount: looked at and watched over the network.

`backend` keeps the one connection and makes it anew · `tree` looks · `watch` puts what the server tells into events.
"""
