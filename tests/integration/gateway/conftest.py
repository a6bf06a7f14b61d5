"""The gateway's fixtures."""

from tests.support.gateway_fixtures import log, server, tables, token

__all__ = ["log", "server", "tables", "token"]
