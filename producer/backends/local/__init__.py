"""Directories of this machine: looked at through descriptors, watched through inotify.

`backend` puts all together · `tree` looks, `below` opens what it looks at · `watch` watches: `reader` reads what the kernel
says, through watchdog, and `nodes` knows which watch stands for which directory · `mounted` lists file systems.
"""
