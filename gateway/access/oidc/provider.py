"""One provider: its discovery document, its keys, and the two endpoints that the gateway calls.

Authlib builds the requests of OAuth (RFC 6749, PKCE of RFC 7636) and joserfc reads tokens; every byte goes through
`transport`. Nothing is requested before somebody wants to sign in, so an unavailable provider keeps nobody else waiting.
"""

from __future__ import annotations

import asyncio
import time
import warnings
from dataclasses import dataclass
from typing import Any, cast

from authlib.common.urls import add_params_to_uri
from authlib.oauth2.auth import ClientAuth
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri, prepare_token_request
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from joserfc import jws, jwt
from joserfc.errors import JoseError, SecurityWarning

from gateway.access.oidc.errors import BadAnswer, CodeRefused, ProviderAway
from gateway.access.oidc.judging import Signed
from gateway.access.oidc.provider_settings import ProviderSettings
from gateway.access.oidc.signing_keys import SigningKeys
from gateway.access.oidc.transport import Answer, Transport

DOCUMENT_SECONDS = 3_600.0
AGAIN_SECONDS = 5.0
MAX_TOKEN_BYTES = 16_384
KNOWN_HEADERS = frozenset({"alg", "typ", "kid", "cty", "x5t", "x5t#S256"})
"""Keys, and addresses of keys, are never taken from a token; a token with `crit` is rejected."""


@dataclass(frozen=True, slots=True)
class TokenAnswer:
    """An answer of the token endpoint."""

    id_token: str | None
    access_token: str
    refresh_token: str | None


class Provider:
    """Belongs to one event loop."""

    def __init__(self, settings: ProviderSettings, redirect_uri: str) -> None:
        """Raises ValueError if the CA file cannot be read."""
        self.settings = settings
        self.redirect_uri = redirect_uri
        self._transport = Transport(settings)
        self._keys = SigningKeys(settings.id, self._fetch_keys)
        self._document: dict[str, Any] = {}
        self._read_at = float("-inf")
        self._tried_at = float("-inf")
        self._away: ProviderAway | None = None
        self._reading = asyncio.Lock()
        method = settings.client_auth if settings.secret is not None else "none"
        self._client = ClientAuth(settings.client_id, settings.secret, method)

    async def document(self) -> dict[str, Any]:
        """Its discovery document, at most an hour old, or older while the provider is away. Raises ProviderAway."""
        async with self._reading:
            now = time.monotonic()
            if now - self._read_at < DOCUMENT_SECONDS:
                return self._document
            if now - self._tried_at >= AGAIN_SECONDS:
                self._tried_at = now
                try:
                    self._document, self._away = await self._read_document(), None
                    self._read_at = time.monotonic()
                except ProviderAway as error:
                    self._away = error
            if not self._document:
                raise self._away or ProviderAway(self.settings.id, "not read yet")
            return self._document

    async def sign_in_address(self, state: str, nonce: str, verifier: str) -> str:
        """The address at which a browser signs in. Raises ProviderAway."""
        address = self._transport.check((await self.document()).get("authorization_endpoint"))
        return cast(
            str,
            prepare_grant_uri(
                address,
                self.settings.client_id,
                "code",
                redirect_uri=self.redirect_uri,
                scope=list(self.settings.scopes),
                state=state,
                nonce=nonce,
                code_challenge=create_s256_code_challenge(verifier),
                code_challenge_method="S256",
            ),
        )

    async def sign_out_address(self, back: str) -> str | None:
        """The address at which a browser signs out of the provider too (RP-Initiated Logout), if the provider has one and is
        available."""
        try:
            address = self._transport.check((await self.document()).get("end_session_endpoint"))
        except ProviderAway:
            return None
        query = [("client_id", self.settings.client_id), ("post_logout_redirect_uri", back)]
        return cast(str, add_params_to_uri(address, query))

    async def sends_issuer(self) -> bool:
        """Whether it sends its issuer with every code (RFC 9207). Raises ProviderAway."""
        return (await self.document()).get("authorization_response_iss_parameter_supported") is True

    async def exchange(self, code: str, verifier: str) -> TokenAnswer:
        """Tokens for a code. Raises CodeRefused, ProviderAway."""
        return await self._tokens(
            "authorization_code", redirect_uri=self.redirect_uri, code=code, code_verifier=verifier
        )

    async def refresh(self, refresh_token: str) -> TokenAnswer:
        """New tokens, as long as the person is signed in there. Raises CodeRefused, ProviderAway."""
        return await self._tokens("refresh_token", refresh_token=refresh_token)

    async def signed(self, token: str) -> Signed:
        """A token with this provider's signature; its claims are not checked yet. Raises BadAnswer, ProviderAway."""
        settings = self.settings
        if len(token) > MAX_TOKEN_BYTES or not token.isascii():
            raise BadAnswer(settings.id, "a token that is too long or not a token")
        try:
            header = jws.extract_compact(token.encode()).headers()
        except (JoseError, ValueError, TypeError, RecursionError) as error:
            raise BadAnswer(settings.id, "not a token") from error
        algorithm, kid = header.get("alg"), header.get("kid")
        if algorithm not in settings.algorithms or not isinstance(kid, str) or not header.keys() <= KNOWN_HEADERS:
            raise BadAnswer(
                settings.id, "a token with an algorithm or a header that is not allowed, or without a key id"
            )
        key = await self._keys.key(kid, algorithm)
        if key is None:
            raise BadAnswer(settings.id, "a token signed with a key that the provider does not have")
        try:
            with warnings.catch_warnings():  # RFC 9864 names EdDSA by its curve; providers do not yet
                warnings.simplefilter("ignore", SecurityWarning)
                found = jwt.decode(token, key, algorithms=[algorithm])
        except (JoseError, ValueError, TypeError, RecursionError) as error:
            raise BadAnswer(settings.id, "a token that is not signed by the provider") from error
        return Signed(found.header, found.claims)

    async def close(self) -> None:
        """End its connections."""
        await self._transport.close()

    async def _tokens(self, grant: str, **form: str) -> TokenAnswer:
        address = self._transport.check((await self.document()).get("token_endpoint"))
        body = prepare_token_request(grant, **form)
        _, headers, body = self._client.prepare("POST", address, {}, body)
        return self._token_answer(await self._transport.post(address, headers, body))

    def _token_answer(self, answer: Answer) -> TokenAnswer:
        if answer.status != 200:
            error = str(answer.body.get("error", ""))[:64]
            if error == "invalid_grant":
                raise CodeRefused(self.settings.id, "the provider refuses the code or token")
            raise ProviderAway(self.settings.id, f"its token endpoint answers {answer.status} {error!r}")
        match answer.body:
            case {"access_token": str(access), "token_type": str(kind)} if kind.lower() == "bearer":
                id_token, refresh = answer.body.get("id_token"), answer.body.get("refresh_token")
                return TokenAnswer(
                    id_token if isinstance(id_token, str) else None,
                    access,
                    refresh if isinstance(refresh, str) else None,
                )
            case _:
                raise ProviderAway(self.settings.id, "its token endpoint answers without tokens")

    async def _read_document(self) -> dict[str, Any]:
        place = self.settings.issuer.rstrip("/") + "/.well-known/openid-configuration"
        answer = await self._transport.get(place)
        if answer.status != 200:
            raise ProviderAway(self.settings.id, f"its discovery document: HTTP {answer.status}")
        if answer.body.get("issuer") != self.settings.issuer:
            fault = (
                f"its discovery document is of the issuer {answer.body.get('issuer')!r}, the setting has another"
            )
            raise ProviderAway(self.settings.id, fault[:300])
        for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
            self._transport.check(answer.body.get(name))
        return answer.body

    async def _fetch_keys(self) -> dict[str, Any]:
        answer = await self._transport.get(self._transport.check((await self.document()).get("jwks_uri")))
        if answer.status != 200:
            raise ProviderAway(self.settings.id, f"its keys: HTTP {answer.status}")
        return answer.body
