"""A folder of an SMB share, read without a mount, over smbprotocol.

`session` is one connection and its requests · `wire` builds requests and parses responses · `names` converts names · `files`
reads directories and opens files · `notify` receives notices of changes.
"""
