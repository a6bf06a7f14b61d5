"""The configuration of the embedded broker, as text: one KRaft node, loopback only, nothing that assumes replicas.

Pure. Names and meanings are Kafka's own; comments say why a value differs from Kafka's default.
Paths are relative to the broker's working directory (`/proc/self/cwd`): Kafka splits `log.dirs` at commas, Java reads
properties as Latin-1 and file names in the locale's encoding, and a quote ends a string in log4j's YAML, so no folder name
may be written here.
"""

from __future__ import annotations

from collections.abc import Mapping

from cli.up.supervision.program import HERE

NODE_ID = 1


def server_properties(
    data: str,
    port: int,
    controller_port: int,
    *,
    secrets: Mapping[str, str],
    super_users: tuple[str, ...],
    still: bool = False,
    fencing: bool = False,
) -> str:
    """`server.properties` of the broker. `data`: name of its data folder in the working directory. `secrets`: of
    principals by user name; empty: anybody on this machine may do everything (for tests).
    `still`: nothing is removed from the log. `fencing`: only the controller, which soon ends the session of the broker's
    former life."""
    return f"""\
{(_CONTROLLER if fencing else _BROKER).format(port=port, controller_port=controller_port)}
node.id={NODE_ID}
controller.quorum.voters={NODE_ID}@127.0.0.1:{controller_port}
controller.listener.names=CONTROLLER
log.dirs={HERE}/{data}
{_closed(secrets, super_users) if secrets else _OPEN}
# one node: no replicas to wait for
default.replication.factor=1
min.insync.replicas=1
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
# a record that says nothing, each half second by default: disks could never rest
metadata.max.idle.interval.ms=10000
# few files and a quick start; 50 partitions each by default
offsets.topic.num.partitions=4
transaction.state.log.num.partitions=4
share.coordinator.state.topic.num.partitions=1
# nobody joins later: do not wait for them
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
# topics are provisioned, with their settings, and never by accident
auto.create.topics.enable=false
# the log is kept for ever, its time is the broker's
log.retention.ms=-1
log.message.timestamp.type=LogAppendTime
transaction.max.timeout.ms=900000
# offsets of a platform that was off for long must not expire
offsets.retention.minutes=5256000
# threads for one machine with few clients
num.network.threads=2
num.io.threads=4
num.recovery.threads.per.data.dir=2
log.cleaner.dedupe.buffer.size=16777216
{_STILL if still else ""}"""


_BROKER = """\
process.roles=broker,controller
listeners=CLIENT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}
advertised.listeners=CLIENT://127.0.0.1:{port}
inter.broker.listener.name=CLIENT
# a broker killed before registers again only when the session of its former life is over: 9 s by default
broker.session.timeout.ms=3000
broker.heartbeat.interval.ms=500"""
_CONTROLLER = """\
process.roles=controller
listeners=CONTROLLER://127.0.0.1:{controller_port}
broker.session.timeout.ms=300
broker.heartbeat.interval.ms=100"""
_STILL = """\
log.cleaner.enable=false
# the first check is made 30 s after the start, whatever the interval is
log.initial.task.delay.ms=31536000000
log.retention.check.interval.ms=31536000000
"""
_OPEN = "listener.security.protocol.map=CLIENT:PLAINTEXT,CONTROLLER:PLAINTEXT"


def _closed(secrets: Mapping[str, str], super_users: tuple[str, ...]) -> str:
    """Both listeners require credentials, and everything without a permission is denied. The first super user is the broker
    itself. Secrets contain no character that is special in properties or JAAS (`secret_file`)."""
    broker = super_users[0]
    users = " ".join(f'user_{name}="{secret}"' for name, secret in secrets.items())
    itself = f'user_{broker}="{secrets[broker]}"'
    login = (
        "org.apache.kafka.common.security.plain.PlainLoginModule required"
        f' username="{broker}" password="{secrets[broker]}"'
    )
    return f"""\
listener.security.protocol.map=CLIENT:SASL_PLAINTEXT,CONTROLLER:SASL_PLAINTEXT
sasl.enabled.mechanisms=PLAIN
sasl.mechanism.inter.broker.protocol=PLAIN
sasl.mechanism.controller.protocol=PLAIN
listener.name.client.plain.sasl.jaas.config={login} {users};
listener.name.controller.plain.sasl.jaas.config={login} {itself};
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
allow.everyone.if.no.acl.found=false
super.users={";".join(f"User:{name}" for name in super_users)}"""


def log4j2() -> str:
    """Kafka's logging: everything to a rolled file, warnings to the output as well."""
    return f"""\
Configuration:
  status: warn
  Properties:
    Property:
      - name: line
        value: "[%d] %p %m (%c)%n"
  Appenders:
    Console:
      name: OUT
      target: SYSTEM_OUT
      PatternLayout:
        pattern: "${{line}}"
      ThresholdFilter:
        level: WARN
    RollingFile:
      name: FILE
      fileName: "{HERE}/log/server.log"
      filePattern: "{HERE}/log/server.log.%i"
      PatternLayout:
        pattern: "${{line}}"
      SizeBasedTriggeringPolicy:
        size: "10 MB"
      DefaultRolloverStrategy:
        max: 3
  Loggers:
    Root:
      level: INFO
      AppenderRef:
        - ref: OUT
        - ref: FILE
"""
