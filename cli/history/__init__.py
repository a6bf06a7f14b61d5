"""`catalogizer changes`: reads changes and losses from the topic of changes.

Pure: `change_lines` (a change as a line or an object), `lost` (which files were deleted and have not come back), `span`
(from when to when). Shell: `reading`. Nothing here writes anything.
"""
