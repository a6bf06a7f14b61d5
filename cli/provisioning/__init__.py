"""What an installation needs before its first start, and after each update: `topics` in Kafka, with permissions for them
where the brokers ask for any (`acls`), and `tables` in PostgreSQL.

All plan before they act, may be run again at any time and by several at once.
"""
