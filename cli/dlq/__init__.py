"""`catalogizer dlq`: what stages could not process, and what becomes of it.

Pure: `deeds` (what can be done about a letter), `showing` (letters for people and machines). Shell: `reading` (queues
without changing them), `ledger` (a queue owned for a while, letters closed in transactions), `redriving` (both commands
that change something), `command` (what is typed).
"""
