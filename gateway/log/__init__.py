"""The log beside the tail: reading it where a replay is, and writing what the gateway itself has to say."""
