"""File systems behind one interface, all that the rest of the producer knows of them.

`interface` defines what a back-end offers and guarantees · `table` maps a root's protocol to its back-end ·
`local` is the one for directories of this machine, watched through inotify, `polling` or `fanotify`: `choice` decides
which, `chosen` starts it. Nothing outside a back-end's own folder imports it, except for these.
"""
