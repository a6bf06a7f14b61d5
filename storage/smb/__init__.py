"""A folder of an SMB share, looked at and read without a mount, over smbprotocol.

`session` is one connection and what is asked over it · `wire` puts questions and takes answers apart · `names` are names
on the wire · `files` looks at paths and opens them · `notify` asks to be told of changes.
"""
