"""Sets up an installation before its first start, and after each update: `topics` in Kafka, permissions for them if the
brokers enforce any (`acls`), and `tables` in PostgreSQL.

Each of them plans before it acts, can be repeated at any time, and can be run by several processes at once.
"""
