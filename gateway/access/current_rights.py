"""The rights of accounts that were changed after their tokens were issued: these apply, and not the token's."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from gateway.access.tokens import Identity
from gateway.core.rights import Rights


@dataclass(frozen=True, slots=True)
class ChangedRights:
    """An account's current rights, from the database."""

    user_id: int
    rights: Rights


class CurrentRights:
    """By account, as long as an older token may be valid."""

    def __init__(self) -> None:
        self._changed: dict[int, Rights] = {}

    def take(self, changed: Iterable[ChangedRights]) -> frozenset[int]:
        """Take rows of the database; returns the accounts whose rights are new."""
        news = frozenset(one.user_id for one in changed if self._changed.get(one.user_id) != one.rights)
        self._changed.update((one.user_id, one.rights) for one in changed)
        return news

    def of_user(self, user_id: int) -> Rights | None:
        """The account's rights if they were changed lately, else None: then its tokens have them."""
        return self._changed.get(user_id)

    def of(self, identity: Identity) -> Identity:
        """The identity with its current rights."""
        rights = self._changed.get(identity.user_id) if identity.user_id else None
        return identity if rights is None or rights == identity.rights else replace(identity, rights=rights)
