"""The servers that `up` starts where none is configured: Apache Kafka and PostgreSQL themselves, as child processes.

`jars` Kafka's jars, fetched once · `java` how Java is run · `class_cache` speeds up its start · `kafka_config` the
broker's configuration · `access` the broker's principals · `kafka` the broker · `system_user` the system user
that runs PostgreSQL · `postgres` the server.
Each prepares one server, starts it by hand, or describes it as a program; `cli.up.supervision` keeps it running.
"""
