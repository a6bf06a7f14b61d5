"""The gateway's settings."""

from __future__ import annotations

from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator

from gateway.access.oidc.provider_settings import ProviderSettings, check_providers
from gateway.access.proxies import networks
from gateway.origins import written
from runtime.configuration import Section
from runtime.health import HealthSettings


class GatewaySettings(Section):
    """Settings of `catalogizer serve`."""

    host: str = Field("127.0.0.1", description="address to listen on")
    port: int = Field(8080, ge=1, le=65535, description="port to listen on")
    workers: int = Field(
        1,
        ge=1,
        le=64,
        description="processes that serve the port together; each reads the log and has memory of its own. For one"
        " gateway on a machine of several cores: as many as it has",
    )
    health: HealthSettings = HealthSettings()
    token_secret: SecretStr | None = Field(
        None,
        description="HMAC key of the tokens, 32 random characters at least, the same for all gateways; unset:"
        " `up` with its embedded broker keeps one in the state folder, every other gateway does not start",
    )
    token_minutes: int = Field(60, ge=1, le=1_440, description="life of a session token")
    refresh_days: int = Field(30, ge=1, le=365, description="life of a refresh token")
    issuer: str = Field("catalogizer", description="`iss` of the tokens")
    audience: str = Field("catalogizer", description="`aud` of the tokens")
    oidc: tuple[ProviderSettings, ...] = Field(
        (),
        description="JSON list of providers of OpenID Connect whose people may sign in here, or whose bearer tokens are"
        " accepted; their members are in the table below",
        examples=[
            '[{"id": "corp", "name": "Example Corp", "issuer": "https://id.example", "client_id": "catalogizer",'
            ' "client_secret_file": "/run/secrets/oidc", "mapping": {"media-admins": {"role": "admin"}}}]'
        ],
    )
    allowed_origins: tuple[str, ...] = Field(
        (),
        description="JSON list of further origins of pages that may connect, as browsers write them, or `*` for all;"
        " the gateway's own is always allowed",
        examples=['["https://media.example"]'],
    )
    trusted_proxies: tuple[str, ...] = Field(
        (),
        description="JSON list of the addresses and networks of trusted proxies, which name the client in"
        " `X-Forwarded-For` or `Forwarded`",
        examples=['["127.0.0.1", "10.0.0.0/8"]'],
    )
    public_url: str | None = Field(
        None,
        description="the gateway's address for browsers, such as https://media.example/catalog; set it behind a proxy that"
        " changes host, port or path (the proxy must strip the path)",
    )
    legacy_payload: bool = Field(True, description="event frames carry `payload` equal to `data`")
    ring_bytes: int = Field(33_554_432, ge=65_536, description="memory of recent events per partition, at most")
    ring_seconds: int = Field(3_600, ge=1, description="age of recent events in memory, at most")
    replay_sessions: int = Field(8, ge=1, le=256, description="log readers serving replays at once")
    ping_seconds: float = Field(25.0, ge=1, le=300, description="time between pings")
    slow_seconds: float = Field(
        60.0, ge=1, le=3_600, description="a client that takes nothing, or answers no ping, for so long is closed"
    )
    max_sockets: int = Field(10_000, ge=1, description="sockets and event streams open at once")
    max_sockets_per_session: int = Field(16, ge=1, description="sockets and event streams of one session at once")
    max_connections_per_address: int = Field(
        1_000,
        ge=1,
        description="connections from one IPv4 address or one IPv6 network (/64) at once, trusted proxies aside",
    )
    max_header_bytes: int = Field(
        49_152,
        ge=8_192,
        le=1_048_576,
        description="headers of one request; 32 kB of sign-on cookies fit the default",
    )

    @field_validator("allowed_origins")
    @classmethod
    def _can_match(cls, origins: tuple[str, ...]) -> tuple[str, ...]:
        for origin in origins:
            if origin != "*" and written(origin) != origin:
                meant = written(origin)
                raise ValueError(
                    f"{origin!r} is not an origin as browsers write it"
                    + (f"; meant {meant}?" if meant else ": scheme://host, perhaps a port, nothing else")
                )
        return origins

    @field_validator("oidc")
    @classmethod
    def _are_distinct(cls, providers: tuple[ProviderSettings, ...]) -> tuple[ProviderSettings, ...]:
        check_providers(providers)
        return providers

    @field_validator("trusted_proxies")
    @classmethod
    def _are_networks(cls, proxies: tuple[str, ...]) -> tuple[str, ...]:
        networks(proxies)
        return proxies

    @field_validator("public_url")
    @classmethod
    def _is_an_address(cls, url: str | None) -> str | None:
        if url is None:
            return None
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("http:// or https://, a host, perhaps a port and a path")
        if parts.query or parts.fragment or "@" in parts.netloc:
            raise ValueError("no user, no ? and no # in it")
        if parts.port == 0:  # one that is not a number raises by itself
            raise ValueError("a port from 1")
        return url.rstrip("/")
