"""Status: the state of roots and components, published on change, and kept for later readers.

agent       reports in, system updates out
rules       which reports are published, and as which updates (pure)
disk        whether the disk of a process is nearly full (pure)
gaps        gaps in the changes, likewise, by a reader of its own
open_gaps   which gaps of a root are open (pure)
publishing  how an update is written and read back
"""
