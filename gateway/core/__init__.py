"""The gateway's decisions, pure: what each subscriber receives next (`hub`, `subscriber`, `standing`), from where it is
served (`replay`, `memory`, `ring` and `shelf`, both of them `columns`), where a subscription starts (`starts`, `resolve`),
what a client may do (`limits`) and a connection cost (`life`, `arriving`, `frame_budget`, `pulse`, `admission`, `turns`),
the gateway's own messages (`answers`), and how bytes are framed for a WebSocket (`framing`).

Nothing here knows sockets, Kafka or the clock; times are arguments and writes are returned.
"""
