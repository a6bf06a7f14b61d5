"""Keeps programs running, and ends them with the supervisor, whatever they do.

`program` a program, tied to its parent's life · `child_run` one run of a child · `backoff` delays between restarts ·
`component_log` log lines · `component` a child that is restarted · `hold` keeps a component stopped for a while ·
`supervisor` all components, in order · `chore` a program run once · `guarded`, `guardian` kill what a killed supervisor
leaves behind · `leftovers` the same at the next start · `process` a child controlled by hand.
"""
