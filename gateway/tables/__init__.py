"""The projector's tables in PostgreSQL, read only: the catalogue, and the history of what happened."""
