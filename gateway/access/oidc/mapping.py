"""From a provider's claims about a person to what that person may do and see here. Pure.

If several values match, the person gets everything that each of them grants, and the highest of their roles. Nothing is
guessed: a value that the table does not have grants nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from gateway.access.oidc.provider_settings import Grant, ProviderSettings
from gateway.access.roles import ADMIN, OPERATOR, VIEWER
from gateway.core.rights import Rights

_LOW_TO_HIGH = (VIEWER.id, OPERATOR.id, ADMIN.id)


@dataclass(frozen=True, slots=True)
class Granted:
    """A role and rights."""

    role_id: int
    rights: Rights


def granted(settings: ProviderSettings, claims: Mapping[str, Any]) -> Granted | None:
    """What these claims grant; None: nothing, and the person is refused."""
    values = claim_values(claims, settings.groups_claim)
    grants = [grant for value, grant in settings.mapping.items() if value in values]
    if not grants and settings.default is not None:
        grants = [settings.default]
    return _union(grants) if grants else None


def claim_values(claims: Mapping[str, Any], path: str) -> frozenset[str]:
    """The texts at a path of claims. A claim with dots in its name, or that is an address, is found by its whole name."""
    found: object = claims.get(path)
    if found is None:
        found = claims
        for step in path.split("."):
            found = found.get(step) if isinstance(found, Mapping) else None
    if isinstance(found, str):
        return frozenset({found})
    return (
        frozenset(value for value in found if isinstance(value, str)) if isinstance(found, list) else frozenset()
    )


def _union(grants: Iterable[Grant]) -> Granted:
    all_of = list(grants)
    rights = [grant.rights for grant in all_of]
    return Granted(
        max((grant.role_id for grant in all_of), key=_LOW_TO_HIGH.index),
        Rights(
            frozenset().union(*(one.channels for one in rights)),
            frozenset().union(*(one.libraries for one in rights)),
            frozenset().union(*(one.roots for one in rights)),
        ),
    )
