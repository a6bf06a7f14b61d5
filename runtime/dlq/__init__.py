"""Reading and handling dead letter queues, for the command line and the gateway.

Pure: `actions` (what can be done about a letter), `lines` (letters as JSON). Shell: `reading` (reads queues without
changing them), `ledger` (exclusive access to a queue; letters are closed in transactions), `redriving` (redriving and
discarding letters).
"""
