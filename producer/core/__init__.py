"""Decisions of the producer as pure functions: no I/O, no clock of its own, no thread."""
