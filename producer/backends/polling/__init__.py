"""Watching by looking, for file systems whose changes nobody tells: what other machines do on a share, what happens behind a
FUSE file system, and what the kernel has no room to tell.

`schedule` says which directory is looked at when, and knows no clock and no file · `looks` looks: at a directory, at its
entries · `watch` does what the schedule says behind the interface `Watch`.
"""
