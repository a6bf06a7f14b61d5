"""Measurements, each with its baseline in the same run. `make bench` prints them all; `--json` for machines.

Machines are noisy: read ratios first, minimum and median before single figures.
"""
