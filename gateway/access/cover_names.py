"""Signed addresses of covers for images in a page, which send no token: for one session and a short time. Pure.

An item's `cover_image` is one path for everybody, so that an event's bytes do not depend on the receiver; a REST request for
the item gets the same path with a signature. A signature stays the same for a quarter of an hour, because browsers cache by
address.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from base64 import urlsafe_b64encode
from typing import NamedTuple

from gateway.access.tokens import Identity

PATH = "/api/v1/covers/"
STEP_SECONDS = 900

_FORM = re.compile(r"([0-9]{1,12})\.([0-9]{1,18})\.([0-9a-zA-Z_-]{1,64})\.([A-Za-z0-9_-]{43})")


class SignedFor(NamedTuple):
    """The session and account of a signature, and when it expires (seconds since 1970)."""

    session_id: str
    user_id: int
    ends: int


class CoverNames:
    """Signs and reads them. Times are seconds since 1970."""

    def __init__(self, secret: str) -> None:
        self._key = hmac.digest(secret.encode(), b"cover names", "sha256")

    def signed(self, path: str, identity: Identity, now: float) -> str:
        """The path of a cover with a signature that is valid for a quarter to half an hour, and no longer than the token."""
        ends = min((int(now) // STEP_SECONDS + 2) * STEP_SECONDS, identity.expires_at)
        return f"{path}?signed={self._name(path.removeprefix(PATH), SignedFor(identity.session_id, identity.user_id, ends))}"

    def read(self, hash_: str, name: str, now: float) -> SignedFor | None:
        """The session and account of a signature; None if it is not valid for this cover."""
        form = _FORM.fullmatch(name)
        if form is None:
            return None
        for_ = SignedFor(form[3], int(form[2]), int(form[1]))
        return for_ if hmac.compare_digest(self._name(hash_, for_), name) and now < for_.ends else None

    def _name(self, hash_: str, for_: SignedFor) -> str:
        signed = f"{hash_} {for_.ends} {for_.user_id} {for_.session_id}".encode()
        signature = urlsafe_b64encode(hmac.new(self._key, signed, hashlib.sha256).digest()).rstrip(b"=").decode()
        return f"{for_.ends}.{for_.user_id}.{for_.session_id}.{signature}"
