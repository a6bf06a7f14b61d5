"""Session tokens built by hand, as who knows the secret could and as others try to."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any

from tests.support.gateway import SECRET


def part(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def read(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    header, claims = (json.loads(base64.urlsafe_b64decode(part + "==")) for part in token.split(".")[:2])
    return header, claims


def forge(token: str, *, header: dict[str, Any] | None = None, key: str = SECRET, **claims: Any) -> str:
    """A token like this one with other claims (None takes one away), signed with `key`; built by hand."""
    old_header, old_claims = read(token)
    new = {name: value for name, value in {**old_claims, **claims}.items() if value is not None}
    new_header = {name: value for name, value in {**old_header, **(header or {})}.items() if value is not None}
    signed = f"{part(new_header)}.{part(new)}"
    signature = hmac.new(key.encode(), signed.encode(), hashlib.sha256).digest()
    return f"{signed}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"
