"""Infrastructure shared by the services: settings, Kafka clients, logging, metrics and health, lifecycle.

It connects, and does not interpret records: `schemas` defines them, the services use them.
Nothing here connects at import time.
"""
