"""One command, `catalogizer`: starts each process, starts them all (`up`), and is the operator's tool.

It starts and combines services and decides nothing about events.
"""
