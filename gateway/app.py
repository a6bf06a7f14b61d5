"""Puts the gateway together: services, routes on FastAPI, and the page. Opens no connection."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from pathlib import Path

from fastapi import Depends, FastAPI
from psycopg_pool import AsyncConnectionPool
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp

from gateway.access.accounts import Accounts
from gateway.access.authority import Authority
from gateway.access.cover_names import CoverNames
from gateway.access.following import Following
from gateway.access.oidc import service
from gateway.access.oidc.service import Oidc
from gateway.access.proxies import Proxies, networks
from gateway.access.refresh_tokens import RefreshTokens
from gateway.access.refusal_log import RefusalLog
from gateway.access.sign_in_log import SignInLog
from gateway.access.tickets import Tickets
from gateway.access.tokens import Tokens
from gateway.live.connections import Connections
from gateway.live.resumption import Resumption
from gateway.live.streaming import Streaming, now_ms
from gateway.live.subscribing import Subscribing
from gateway.live.tail import Tail
from gateway.log.audit_pages import AuditPages
from gateway.log.auditing import Auditing
from gateway.log.changes import ChangesLog
from gateway.log.compiled import compiled
from gateway.log.dead_letters import DeadLetterQueues
from gateway.log.densities import Densities
from gateway.log.finding import Finding
from gateway.log.framer import Framer
from gateway.log.open_letters import OpenLetters
from gateway.log.pages import Pages
from gateway.log.publishing import COMPONENT, Publishing
from gateway.log.reader import LogReader
from gateway.log.topics import LogTopics
from gateway.public import public_url
from gateway.rest import accounts as accounts_
from gateway.rest import (
    analysis,
    asyncapi,
    audit,
    auth,
    channels,
    correcting,
    dead_letters,
    described,
    edge,
    history,
    media,
    oidc,
    replay,
    retiring,
    scans,
    system,
    timeline,
)
from gateway.rest import topics as topics_
from gateway.rest.access import Guard
from gateway.rest.declared import only_declared
from gateway.rest.page import WebPage
from gateway.settings import GatewaySettings
from gateway.tables.catalogue import CatalogueQueries
from gateway.tables.database import DatabaseCheck
from gateway.tables.history import History
from runtime.errors import SettingsError
from runtime.health import Health, Starting, product_version
from runtime.kafka import Kafka
from runtime.topic_watch import TopicWatch
from schemas.channels import CHANNELS
from schemas.system import SOCKETS, Scalar

NOT_YET = Starting("sockets are not accepted yet, or no longer")


@dataclass(frozen=True, slots=True)
class Gateway:
    """The services of one gateway process and its application."""

    app: ASGIApp
    accounts: Accounts
    auditing: Auditing
    connections: Connections
    database: DatabaseCheck
    following: Following
    health: Health
    log_reader: LogReader
    oidc: Oidc
    open_letters: OpenLetters
    publishing: Publishing
    resumption: Resumption
    streaming: Streaming
    tail: Tail


def compose(
    kafka: Kafka, pool: AsyncConnectionPool, database: DatabaseCheck, *, settings: GatewaySettings, secret: str
) -> Gateway:
    """Build everything. Raises SettingsError for a secret that does not protect, a missing page, or a provider's CA file
    that cannot be read."""
    frames, legacy = compiled(), settings.legacy_payload
    framers = {c.name: Framer(c, legacy_payload=legacy, compiled=frames) for c in CHANNELS.values()}
    log_reader = LogReader(kafka, framers, settings.replay_sessions)
    everybody = (c.name for c in CHANNELS.values() if c.everybody)
    streaming = Streaming(everybody, log_reader, settings.ring_bytes, settings.ring_seconds)
    topics = TopicWatch(kafka, COMPONENT)
    tail = Tail(kafka, framers, streaming, topics)
    following = Following(pool, lambda: isinstance(database.condition, str))
    tokens = Tokens(settings, secret, following.ended)
    accounts = Accounts(pool, RefreshTokens(secret), settings.refresh_days)
    health = Health()
    health.add("log", lambda: tail.condition)
    health.add("topics", topics.problem, warning=True)
    health.add("needs", topics.unmet, warning=True)  # topics that may not be read are reported by the tail
    health.add("database", lambda: database.condition)

    health.measures.append(tail.show)
    health.add("sockets", lambda: None if connections.accepting else NOT_YET)

    def details() -> dict[str, Scalar]:
        return {SOCKETS: connections.count}

    publishing = Publishing(kafka, health, details)
    auditing = Auditing(pool, publishing)
    sign_ins = SignInLog(auditing)
    elsewhere = service.build(pool, accounts, sign_ins, settings=settings, secret=secret)
    authority = Authority(tokens, Tickets(secret, pool), following, elsewhere.bearer)
    resumption = Resumption(kafka, secrets.token_hex(8), streaming.memory, publishing)
    finding = Finding(streaming.memory, log_reader, now_ms)
    subscribing = Subscribing(streaming, finding, resumption)
    connections = Connections(settings, authority, streaming, subscribing, resumption)
    following.affected = connections
    app = FastAPI(
        title="Catalogizer",
        version=product_version(),
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        servers=[{"url": public_url(settings)}] if settings.public_url else None,
    )
    app.add_middleware(
        CORSMiddleware,
        allow_origins=settings.allowed_origins,
        allow_methods=["GET", "POST", "PATCH", "DELETE"],
        allow_headers=["Authorization", "Content-Type", "Last-Event-ID", "X-Request-ID"],
        expose_headers=["X-Request-ID", "Retry-After"],
        max_age=600,
    )
    happened, letters = History(pool), DeadLetterQueues(kafka)
    guard = Guard(authority, auditing)
    routers = (
        auth.router(accounts, tokens, guard, following, oidc=elsewhere, sign_ins=sign_ins),
        oidc.router(elsewhere, tokens, sign_ins),
        accounts_.router(pool, guard, following),
        media.router(CatalogueQueries(pool), happened, guard, CoverNames(secret)),
        correcting.router(CatalogueQueries(pool), publishing, guard),
        history.router(happened, guard),
        scans.router(happened, publishing, guard),
        retiring.router(happened, publishing, guard),
        analysis.router(pool, publishing, guard),
        replay.router(ChangesLog(kafka), happened, guard),
        channels.router(
            guard,
            finding,
            Pages(streaming.memory, log_reader, finding),
            streaming=streaming,
            subscribing=subscribing,
            connections=connections,
        ),
        system.router(
            streaming.memory, tail, health, publishing, accounts=accounts, history=happened, guard=guard
        ),
        timeline.router(Densities(streaming.memory, log_reader, now_ms), guard),
        audit.router(AuditPages(kafka), guard),
        dead_letters.router(letters, guard),
        topics_.router(LogTopics(kafka), guard),
        asyncapi.router(settings, kafka, guard),
    )
    by_providers = oidc.callbacks(elsewhere, sign_ins, following)
    edge.install(app, (*routers, by_providers))
    described.install(app, (*routers, by_providers), guard)
    for router in routers:
        app.include_router(router, dependencies=[Depends(only_declared)])
    app.include_router(by_providers)
    for path in ("/ws", "/ws/"):
        app.add_api_websocket_route(path, connections.serve)
    app.mount("/", WebPage(web_dir()))
    outermost = edge.Edge(app, Proxies(networks(settings.trusted_proxies)), RefusalLog())
    return Gateway(
        outermost,
        accounts,
        auditing,
        connections,
        database,
        following,
        health,
        log_reader,
        elsewhere,
        OpenLetters(letters),
        publishing,
        resumption,
        streaming,
        tail,
    )


def web_dir() -> Path:
    """The page's files: in the package if installed, else beside it in a checkout. Raises SettingsError."""
    here = Path(__file__).resolve().parent
    for place in (here / "web", here.parent / "web" / "built"):
        if (place / "index.html").is_file():
            return place
    raise SettingsError(("the page's files (web/built/index.html) are missing: the installation is incomplete",))
