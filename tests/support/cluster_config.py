"""The configuration of one node of a test's cluster, as text: what a company's brokers have, as small as it can be.

Three listeners for clients, each another way to sign in, and one for the nodes as controllers. The nodes know each other by
their certificates. Nothing is allowed that no rule allows.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from schemas.acls import OPERATOR, user_of

Listener = Literal["SCRAM", "MTLS", "OAUTH"]
LISTENERS: tuple[Listener, ...] = ("SCRAM", "MTLS", "OAUTH")
CONTROLLER = "CONTROLLER"
BROKER = "broker"
"""The name in the nodes' certificates."""
SESSION_MS = 6_000
"""How long after a node's last heartbeat its partitions get another leader; by default 9 s. Such a node may also be the
active controller, and then an election of some 2 s comes first. With a shorter time, nodes on a busy machine lose each
other."""
_OAUTH = "org.apache.kafka.common.security.oauthbearer"


@dataclass(frozen=True, slots=True)
class Node:
    """`ports`: of its listeners at its host and, as CONTROLLER, of its controller; `certificate`: with its key; `data`:
    where its log is."""

    id: int
    host: str
    ports: dict[str, int]
    certificate: Path
    data: Path


def properties(node: Node, nodes: tuple[Node, ...], *, authority: Path, keys_url: str, issuer: str) -> str:
    """`server.properties` of one of the nodes."""
    voters = ",".join(f"{other.id}@{other.host}:{other.ports[CONTROLLER]}" for other in nodes)
    places = {name: f"{name}://{node.host}:{port}" for name, port in node.ports.items()}
    return f"""\
process.roles=broker,controller
node.id={node.id}
controller.quorum.voters={voters}
listeners={",".join(places.values())}
advertised.listeners={",".join(places[name] for name in LISTENERS)}
listener.security.protocol.map=SCRAM:SASL_SSL,MTLS:SSL,OAUTH:SASL_SSL,CONTROLLER:SSL
controller.listener.names=CONTROLLER
inter.broker.listener.name=MTLS
log.dirs={node.data}

ssl.keystore.type=PEM
ssl.keystore.location={node.certificate}
ssl.truststore.type=PEM
ssl.truststore.location={authority}
listener.name.mtls.ssl.client.auth=required
listener.name.controller.ssl.client.auth=required
ssl.principal.mapping.rules=RULE:^CN=([a-z0-9-]+)(,.*)?$/$1/,DEFAULT

listener.name.scram.sasl.enabled.mechanisms=SCRAM-SHA-512
listener.name.scram.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;

listener.name.oauth.sasl.enabled.mechanisms=OAUTHBEARER
listener.name.oauth.oauthbearer.sasl.jaas.config={_OAUTH}.OAuthBearerLoginModule required;
listener.name.oauth.oauthbearer.sasl.server.callback.handler.class={_OAUTH}.OAuthBearerValidatorCallbackHandler
listener.name.oauth.sasl.oauthbearer.jwks.endpoint.url={keys_url}
listener.name.oauth.sasl.oauthbearer.expected.audience=kafka
listener.name.oauth.sasl.oauthbearer.expected.issuer={issuer}

authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
allow.everyone.if.no.acl.found=false
super.users=User:{BROKER};User:{user_of(OPERATOR)}

default.replication.factor=3
min.insync.replicas=2
offsets.topic.replication.factor=3
transaction.state.log.replication.factor=3
transaction.state.log.min.isr=2
share.coordinator.state.topic.replication.factor=3
share.coordinator.state.topic.min.isr=2
offsets.topic.num.partitions=4
transaction.state.log.num.partitions=4
share.coordinator.state.topic.num.partitions=1
auto.create.topics.enable=false
broker.session.timeout.ms={SESSION_MS}
broker.heartbeat.interval.ms=500
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
log.message.timestamp.type=LogAppendTime
log.retention.ms=-1
num.network.threads=2
num.io.threads=4
num.recovery.threads.per.data.dir=1
log.cleaner.dedupe.buffer.size=4194304
"""
