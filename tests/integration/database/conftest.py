"""The fixtures that another suite has as well."""

from tests.support.gateway_fixtures import tables

__all__ = ["tables"]
