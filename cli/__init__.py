"""One command, `catalogizer`: starts each process, starts them all (`up`), and is the operator's tool.

It composes what the services offer and decides nothing about events.
"""
