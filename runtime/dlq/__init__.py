"""Dead letter queues, for whoever sees to them: the command line and the gateway.

Pure: `deeds` (what can be done about a letter), `lines` (letters as JSON has them). Shell: `reading` (queues without
changing them), `ledger` (a queue owned for a while, letters closed in transactions), `redriving` (giving back and
discarding).
"""
