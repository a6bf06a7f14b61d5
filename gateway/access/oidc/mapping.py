"""From what a provider says of somebody to what he may do and see here. Pure.

Several values that match give him all that each of them gives, and the highest of their roles. Nothing is guessed: what is
no value of the table counts for nothing.
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
    """What he has by these claims; None: nothing, and he is refused."""
    values = claim_values(claims, settings.groups_claim)
    grants = [grant for value, grant in settings.mapping.items() if value in values]
    if not grants and settings.default is not None:
        grants = [settings.default]
    return _union(grants) if grants else None


def claim_values(claims: Mapping[str, Any], path: str) -> frozenset[str]:
    """The words at a path of claims. A claim whose name has dots in it, or is an address, is found by its whole name."""
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
