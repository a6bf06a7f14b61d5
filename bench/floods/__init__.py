"""Hostile and faulty clients against a real gateway process, from one table of attacks (`attacks`).

`python -m bench.floods [--seconds N] [--only NAME] [--json]` prints the effect of each on the gateway: its memory, the
slowest `/health` of another client meanwhile, and the answers that the attackers received.
"""
