"""`catalogizer dlq`: shows and handles records that a stage could not process (`runtime.dlq`).

Pure: `showing` (letters for people). Shell: `command` (the commands).
"""
