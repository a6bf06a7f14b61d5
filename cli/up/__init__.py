"""`catalogizer up`: the whole platform on one machine, under one supervisor, with one log.

Where the settings name no Kafka or PostgreSQL, embedded ones are started; they are the real servers, and clients
connect to them as to any other. Every process started here ends with the supervisor, even if that is killed.
"""
