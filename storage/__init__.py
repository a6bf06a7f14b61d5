"""Access to files that are on no disk of this machine: below producer and streams, which both read them.

`share` is the address of a share and the account used there · `errors` is what can go wrong · `smb` implements the protocol.
"""
