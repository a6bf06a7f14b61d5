"""How files are reached that lie on no disk of this machine: below producer and streams, which both read them.

`share` says where a share is and who we are there · `errors` is what can go wrong · `smb` speaks the protocol.
"""
