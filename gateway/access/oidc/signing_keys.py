"""The keys that a provider signs with: fetched when one is needed, kept, and fetched again when the provider changes them.

An unknown key may be a new one, so the keys are fetched again, but at most every five seconds, whatever tokens arrive: a
client that makes up key ids causes no work. Known keys are good for a day while the provider is away.
"""

from __future__ import annotations

import asyncio
import time
import warnings
from collections.abc import Awaitable, Callable
from typing import Any

from joserfc.errors import JoseError, SecurityWarning
from joserfc.jwk import ECKey, JWKRegistry, OKPKey, RSAKey

from gateway.access.oidc.errors import ProviderAway

AGAIN_SECONDS = 5.0
FRESH_SECONDS = 300.0
STALE_SECONDS = 86_400.0
MAX_KEYS = 64
MIN_RSA_BITS = 2_048

PublicKey = RSAKey | ECKey | OKPKey

_FITS: dict[str, tuple[str, str | None]] = {
    "RS256": ("RSA", None), "RS384": ("RSA", None), "RS512": ("RSA", None),
    "PS256": ("RSA", None), "PS384": ("RSA", None), "PS512": ("RSA", None),
    "ES256": ("EC", "P-256"), "ES384": ("EC", "P-384"), "EdDSA": ("OKP", "Ed25519"),
    "Ed25519": ("OKP", "Ed25519"),
}  # fmt: skip
"""Kind and curve of the key that an algorithm needs."""


class SigningKeys:
    """The keys of one provider. Belongs to one event loop."""

    def __init__(self, provider: str, fetch: Callable[[], Awaitable[dict[str, Any]]]) -> None:
        """`fetch`: requests the keys from the provider; raises ProviderAway."""
        self._provider = provider
        self._fetch = fetch
        self._keys: dict[str, PublicKey] = {}
        self._tried_at = float("-inf")
        self._fetched_at = float("-inf")
        self._away: ProviderAway | None = None
        self._fetching = asyncio.Lock()
        self._renewing: asyncio.Task[None] | None = None

    async def key(self, kid: str, algorithm: str) -> PublicKey | None:
        """The key with that id for that algorithm; None if the provider has none. Raises ProviderAway if that cannot be
        found out."""
        now = time.monotonic()
        if kid not in self._keys or now - self._fetched_at > STALE_SECONDS:
            await self._fetch_again(now)
        elif now - self._fetched_at > FRESH_SECONDS and self._renewing is None:
            self._renewing = asyncio.create_task(self._fetch_again(now))  # nobody waits for it
            self._renewing.add_done_callback(self._renewed)
        if time.monotonic() - self._fetched_at > STALE_SECONDS:
            raise self._away or ProviderAway(self._provider, "its keys are not known")
        found = self._keys.get(kid)
        if found is None and self._away is not None:
            raise self._away
        return found if found is not None and _fits(found, algorithm) else None

    def _renewed(self, _done: asyncio.Task[None]) -> None:
        self._renewing = None

    async def _fetch_again(self, since: float) -> None:
        async with self._fetching:
            now = time.monotonic()
            if now - self._tried_at < AGAIN_SECONDS or self._fetched_at > since:
                return
            self._tried_at = now
            try:
                self._keys = _imported(await self._fetch())
            except ProviderAway as error:
                self._away = error
            else:
                self._away = None
                self._fetched_at = time.monotonic()


def _imported(document: dict[str, Any]) -> dict[str, PublicKey]:
    """The keys with ids that signatures can be checked with; anything else in the document is ignored."""
    listed = document.get("keys")
    keys: dict[str, PublicKey] = {}
    for entry in listed[:MAX_KEYS] if isinstance(listed, list) else []:
        if (
            not isinstance(entry, dict)
            or not isinstance(entry.get("kid"), str)
            or entry.get("use", "sig") != "sig"
        ):
            continue
        public = {name: value for name, value in entry.items() if name in _PUBLIC}
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", SecurityWarning)  # a key that is too short is rejected below
                key = JWKRegistry.import_key(public)
        except (JoseError, ValueError, TypeError):
            continue
        if isinstance(key, RSAKey | ECKey | OKPKey):
            keys[entry["kid"]] = key
    return keys


_PUBLIC = frozenset({"kty", "n", "e", "crv", "x", "y", "alg", "kid"})


def _fits(key: PublicKey, algorithm: str) -> bool:
    kind, curve = _FITS[algorithm]
    named = key.get("alg", algorithm)
    if key.key_type != kind or (named != algorithm and _FITS.get(str(named)) != (kind, "Ed25519")):
        return False
    if isinstance(key, RSAKey):
        return key.raw_value.key_size >= MIN_RSA_BITS
    return key.get("crv") == curve
