"""Plumbing shared by the shells: settings, Kafka clients, logging, metrics and health, lifecycle.

It knows how to connect and nothing about what is said: `schemas` says what, the services say why.
Nothing here connects at import time.
"""
