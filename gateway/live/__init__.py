"""From records to sockets: the tail follows the log, the hub decides (`gateway.core`), streaming carries out its decisions,
and connections own the sockets. Knows neither the database nor HTTP beyond the handshake."""
