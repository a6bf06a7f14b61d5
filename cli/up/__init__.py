"""`catalogizer up`: the whole platform on one machine, under one supervisor, with one log.

Embedded Kafka and PostgreSQL stand in where none is configured; they are the real servers, reached as any other
would be. Nothing started here outlives the supervisor, however that ends.
"""
