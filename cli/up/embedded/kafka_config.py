"""The configuration of the embedded broker, as text: one KRaft node, loopback only, nothing that assumes replicas.

Pure. Names and meanings are Kafka's own; comments say why a value differs from Kafka's default.
"""

from __future__ import annotations

from pathlib import Path

NODE_ID = 1


def server_properties(data: Path, port: int, controller_port: int) -> str:
    """`server.properties` of the broker."""
    return f"""\
process.roles=broker,controller
node.id={NODE_ID}
controller.quorum.voters={NODE_ID}@127.0.0.1:{controller_port}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
log.dirs={data}
# one node: no replicas to wait for
default.replication.factor=1
min.insync.replicas=1
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
# a broker killed before registers again only when the session of its former life is over: 9 s by default
broker.session.timeout.ms=3000
broker.heartbeat.interval.ms=500
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
"""


def log4j2(folder: Path) -> str:
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
      fileName: "{folder}/server.log"
      filePattern: "{folder}/server.log.%i"
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
