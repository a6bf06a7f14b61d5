"""Small values kept by others, or where others may read them: encrypted and authenticated (JWE with A256GCM), each good for
one purpose and for a time. So a sign-in that begins at one gateway can end at any other with the same secret, and a sign-in
that is only begun leaves nothing in the database.
"""

from __future__ import annotations

import hmac
import json
import time
from typing import Any, Literal

from joserfc import jwe
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

Purpose = Literal["sign-in", "exchange", "refresh token"]
MAX_SEALED = 16_384


class Seal:
    """Seals and opens values. `secret`: the gateways' token secret."""

    def __init__(self, secret: str) -> None:
        self._keys: dict[Purpose, OctKey] = {
            purpose: OctKey.import_key(hmac.digest(secret.encode(), b"oidc " + purpose.encode(), "sha256"))
            for purpose in ("sign-in", "exchange", "refresh token")
        }

    def seal(self, purpose: Purpose, value: dict[str, Any], seconds: float) -> str:
        """A text that only `open` can read, for so long."""
        content = json.dumps({**value, "until": time.time() + seconds}).encode()
        return jwe.encrypt_compact({"alg": "dir", "enc": "A256GCM"}, content, self._keys[purpose])

    def open(self, purpose: Purpose, sealed: str) -> dict[str, Any] | None:
        """The sealed value; None if the text is not ours, was changed, or is too old."""
        if not sealed or len(sealed) > MAX_SEALED or not sealed.isascii():
            return None
        try:
            opened = jwe.decrypt_compact(sealed, self._keys[purpose], algorithms=["dir", "A256GCM"])
            value = json.loads(opened.plaintext or b"")
        except (JoseError, ValueError, TypeError):
            return None
        return value if isinstance(value, dict) and time.time() < value.get("until", 0) else None
