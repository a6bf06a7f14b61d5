"""Watching by polling, for file systems whose changes are not reported: what other machines do on a share, what happens
behind a FUSE file system, and what the kernel has no room to report.

`schedule` decides which directory is looked at when, and knows no clock and no file · `looks` looks at a directory and its
entries · `watch` does what the schedule decides, behind the interface `Watch`.
"""
