"""Moves the log of the embedded broker to other brokers: a copy with the same offsets, keys, values, headers and times.

Whatever contains an offset stays valid: clients' cursors, the positions of fold and projector, snapshots, ids of events and
media. The copy is marked as incomplete from its first to its last step (`runtime.epochs.COPYING`), so no process uses one
that was interrupted. The source is only read.
"""
