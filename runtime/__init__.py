"""Plumbing shared by the shells: settings, Kafka clients, logging, metrics and health, lifecycle.

It knows how to connect and nothing about the records: `schemas` defines them, the services use them.
Nothing here connects at import time.
"""
