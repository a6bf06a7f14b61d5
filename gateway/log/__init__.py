"""The log beside the tail: reading it for replays, and publishing the gateway's own records."""
