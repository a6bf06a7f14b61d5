"""File systems behind one interface: what the rest of the producer knows of any of them.

`interface` says what a back-end offers and guarantees · `table` leads from a root's protocol to its back-end ·
`local` is the one for directories of this machine, watched through inotify, `polling` by looking, or `fanotify`: `choice`
decides which, `chosen` begins with it. Nothing outside a back-end's own folder imports it, but for these.
"""
