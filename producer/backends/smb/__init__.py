"""Folders of SMB shares, without a mount: read and watched over the network.

`backend` keeps the one connection and reconnects · `tree` reads · `watch` turns the server's notices into events.
"""
