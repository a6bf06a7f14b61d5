"""The gateway's decisions, pure: what each subscriber is owed next (`hub`, `subscriber`, `standing`), from where it is
served (`replay`, `memory`, `ring`), where a subscription starts (`starts`, `resolve`), and what a client may do (`limits`)
and a connection cost (`life`, `arriving`, `frame_budget`, `pulse`, `admission`, `turns`).

Nothing here knows sockets, Kafka or the clock; times are arguments and writes are returned.
"""
