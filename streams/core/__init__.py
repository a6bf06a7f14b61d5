"""The heart, pure: from records of the change log to what they mean. No clock, no network, no randomness.

`clock` lane time · `deadlines` what is due when · `settle` debounce per path · `known` the index of known files
· `renames` which deletion and creation are one move · `naming` what a name tells · `catalogue` items, jobs,
scans · `root_changes` what is told of a root itself · `emit` outputs with ids and dense numbers · `fold` their
composition, the only thing that decides.
"""
