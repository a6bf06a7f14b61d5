"""From records to sockets: the tail follows the log, the hub decides (`gateway.core`), streaming performs it, and
connections hold the sockets. Knows neither the database nor HTTP beyond the handshake."""
