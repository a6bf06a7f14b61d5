"""Read-only access to the projector's tables in PostgreSQL: the catalogue, and the history."""
