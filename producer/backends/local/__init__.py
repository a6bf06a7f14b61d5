"""Directories of this machine: read through descriptors, watched through inotify.

`backend` connects the parts · `tree` reads, `below` opens what it reads · `watch` watches: `reader` reads the kernel's
events, through watchdog, and `nodes` maps watches to directories · `mounted` lists file systems.
"""
