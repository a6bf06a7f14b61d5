"""What an installation needs before its first start, and after each update: `topics` in Kafka, `tables` in PostgreSQL.

Both plan before they act, may be run again at any time and by several at once.
"""
