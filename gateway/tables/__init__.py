"""The projector's tables in PostgreSQL, read only: the catalogue, and the account of what happened."""
