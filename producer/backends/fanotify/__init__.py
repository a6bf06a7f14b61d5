"""Watching a whole file system through one mark (fanotify), for a process with the necessary rights: no watch for each
directory, so no limit of watches, and a rename is one event.

`kernel` calls the kernel and parses its events, through ctypes alone: the few bindings on PyPI know nothing of names and
renames · `reader` keeps the events of the root · `watch` is the local watch with that reader.
"""
