"""Keeping programs alive, and ending them with us: it knows nothing of what they do.

`program` what is run, tied to its parent's life · `child_run` one run of a child · `backoff` how long a dead one waits ·
`component_log` its lines · `component` a child that is started again · `hold` keeps one from running for a while ·
`supervisor` all of them, in order · `chore` a program run once · `guarded`, `guardian` kill what a killed supervisor
left · `leftovers` the same at the next start · `process` a child driven by hand.
"""
