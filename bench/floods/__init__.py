"""Hostile and unlucky clients against a real gateway process, from one table of attacks (`attacks`).

`python -m bench.floods [--seconds N] [--only NAME] [--json]` prints what each does to the gateway: its memory, the slowest
`/health` that anybody else saw meanwhile, and what the attackers were answered.
"""
