"""An oracle of what a producer must have seen, independent of how it sees.

`steps` defines what can be done to a disk · `hand` does it · `people` makes up, from a seed, what people and programs do ·
`model` compares a reader's view of the log with a fresh walk of the tree · `run` plays steps with the real producer ·
`shrink` makes a failing sequence short. `python -m tests.oracle --help` is the command.
"""
