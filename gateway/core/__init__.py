"""The gateway's decisions, pure: what each client is owed next (`hub`, `session`), from where it is served
(`replay`, `ring`), where a subscription starts (`starts`, `resolve`), and what a client may do (`limits`).

Nothing here knows sockets, Kafka or the clock; times are arguments and writes are returned.
"""
