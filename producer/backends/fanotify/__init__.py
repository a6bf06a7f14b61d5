"""Watching a whole file system through one mark (fanotify), for a process that may: no watch for each directory, so nothing
to run out of, and a rename is one event.

`kernel` calls the kernel and takes its events apart, with no binding but ctypes: the few there are on PyPI know nothing of
names and renames · `reader` keeps what concerns the root · `watch` is the local watch with that reader.
"""
