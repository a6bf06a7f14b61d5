"""Status: how roots and components are, reported to people on change and kept for those who come later.

agent       reports in, system updates out
rules       which report is worth telling, and as what (pure)
disk        whether the disk of a process is nearly full (pure)
gaps        gaps in the changes, likewise: a reader of its own
open_gaps   which gaps of a root are open (pure)
telling     how an update is written and read back
"""
