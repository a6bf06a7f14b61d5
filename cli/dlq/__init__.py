"""`catalogizer dlq`: what stages could not process, and what becomes of it (`runtime.dlq`).

Pure: `showing` (letters for people). Shell: `command` (what is typed).
"""
