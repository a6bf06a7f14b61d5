"""Status: how roots and components are, told to people on change and kept for those who come later.

`agent` reports in, system updates out · `gaps` gaps in the changes, likewise · `telling` how an update is written
and read back. What is worth telling is decided in `streams.core.status` and `streams.core.gaps`.
"""
