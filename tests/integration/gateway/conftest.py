"""The gateway's fixtures."""

from tests.support.gateway_fixtures import log, second, server, tables, token

__all__ = ["log", "second", "server", "tables", "token"]
