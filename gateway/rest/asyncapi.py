"""The AsyncAPI document: the messages of sockets, and the records of the log. It is generated with the program
(`gateway/asyncapi.json`); here the values of the installation are filled in.

(No postponed annotations here: FastAPI must see dependencies that are made inside `router`.)"""

import json
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from fastapi import APIRouter, Depends, Response

from gateway.public import public_url
from gateway.rest.access import Guard
from gateway.settings import GatewaySettings
from runtime.health import product_version
from runtime.kafka import Kafka
from schemas.topics import ALL_TOPICS

FILE = Path(__file__).resolve().parents[1] / "asyncapi.json"
PROTOCOLS = {"http": "ws", "https": "wss"}
MECHANISMS = {
    "PLAIN": {"type": "plain"},
    "SCRAM-SHA-256": {"type": "scramSha256"},
    "SCRAM-SHA-512": {"type": "scramSha512"},
    "OAUTHBEARER": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
}


def router(settings: GatewaySettings, kafka: Kafka, guard: Guard) -> APIRouter:
    """The routes."""
    routes = APIRouter(tags=["system"], dependencies=[Depends(guard.allowed("inspect:gateway"))])
    body = json.dumps(document(settings, kafka), ensure_ascii=False).encode()

    @routes.get("/asyncapi.json", include_in_schema=False)
    @routes.get("/api/v1/asyncapi.json", include_in_schema=False)
    async def asyncapi() -> Response:
        """The messages of sockets, and the records of the log."""
        return Response(body, media_type="application/json")

    return routes


def document(settings: GatewaySettings, kafka: Kafka) -> dict[str, Any]:
    """The document of this installation."""
    found: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
    found["info"]["version"] = product_version()
    here, servers = urlsplit(public_url(settings)), found["servers"]
    servers["gateway"] |= {"host": here.netloc, "protocol": PROTOCOLS[here.scheme]}
    if here.path:
        servers["gateway"]["pathname"] = here.path
    of_kafka = kafka.settings
    servers["kafka"]["host"] = of_kafka.bootstrap_servers
    if of_kafka.security_protocol.endswith("SSL"):
        servers["kafka"]["protocol"] = "kafka-secure"
    if of_kafka.security_protocol.startswith("SASL"):
        found["components"]["securitySchemes"]["sasl"] |= MECHANISMS[of_kafka.sasl_mechanism]
    else:
        del servers["kafka"]["security"]
    for topic in ALL_TOPICS:
        channel, name = found["channels"][topic.name], kafka.name(topic)
        channel["address"] = name
        channel["bindings"]["kafka"] |= {"topic": name, "partitions": topic.partition_count(kafka.lanes)}
    return found
