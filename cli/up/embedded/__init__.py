"""The servers that `up` starts where none is configured: Apache Kafka and PostgreSQL themselves, as child processes.

`jars` Kafka's jars, fetched once · `java` how Java is run · `class_cache` makes its starts cheap · `kafka_config` the
broker's configuration · `access` who may use the broker · `kafka` the broker · `system_user` as which system
user PostgreSQL runs · `postgres` the server.
Each knows how one server is prepared, started by hand or described as a program; none keeps it alive.
"""
