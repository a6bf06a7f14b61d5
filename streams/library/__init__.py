"""The library fold as a service: the pure fold of each lane, run in Kafka transactions.

`service` one worker: its consumer, its lanes · `lane` one lane's life: start, live, stop · `writer` one
transaction: outputs, position, group offset · `positions` where a lane stands · `ticks` the passing of time,
written to the log · `refold` the same fold over a past range, touching nothing live.
"""
