"""Kafka's own console tools, as an operator has them: the tests use them as an independent view of the broker."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from cli.up.embedded import jars
from cli.up.embedded.java import java
from cli.up.output import SetupOutput

CLASSES = {
    "topics": "org.apache.kafka.tools.TopicCommand",
    "consumer-groups": "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand",
    "dump-log": "org.apache.kafka.tools.DumpLogSegments",
    "configs": "kafka.admin.ConfigCommand",
    "delete-records": "org.apache.kafka.tools.DeleteRecordsCommand",
    "get-offsets": "org.apache.kafka.tools.GetOffsetShell",
}
_SECONDS = 60
_LOGGING = """\
Configuration: {status: error, Loggers: {Root: {level: ERROR, AppenderRef: {ref: OUT}}},
  Appenders: {Console: {name: OUT, target: SYSTEM_ERR, PatternLayout: {pattern: "%p %m%n"}}}}
"""


def kafka_tool(name: str, *arguments: str, seconds: float = _SECONDS) -> subprocess.CompletedProcess[str]:
    """Run one to its end (the name is a key of CLASSES; the exit code is the caller's to judge).
    Raises JarsUnavailable, subprocess.TimeoutExpired."""
    folder = jars.cache_folder() / "kafka"
    paths = jars.obtain(jars.locked(jars.SERVER, jars.TOOLS), folder, SetupOutput())
    options = (f"-Dlog4j2.configurationFile={_logging(folder)}", "-Xmx256m")
    argv = (*java(paths, *options, link=folder / "tools"), CLASSES[name], *arguments)
    return subprocess.run(argv, capture_output=True, text=True, timeout=seconds, cwd=folder)


def _logging(folder: Path) -> Path:
    path = folder / "tools-log4j2.yaml"
    if not path.exists() or path.read_text() != _LOGGING:
        path.write_text(_LOGGING)
    return path


def operate(servers: str, tool: str, *arguments: str) -> None:
    """Run one against a broker, and check that it succeeded."""
    done = kafka_tool(tool, "--bootstrap-server", servers, *arguments)
    assert done.returncode == 0, done.stdout + done.stderr


def make_anew(servers: str, topic: str, partitions: int = 1) -> None:
    """Delete a topic and create it again, as an operator does without our provisioner."""
    operate(servers, "topics", "--delete", "--topic", topic)
    operate(servers, "topics", "--create", "--topic", topic, "--partitions", str(partitions))


def add_partitions(servers: str, topic: str, partitions: int) -> None:
    """So many it has afterwards."""
    operate(servers, "topics", "--alter", "--topic", topic, "--partitions", str(partitions))


def delete_records(servers: str, folder: Path, topic: str, partition: int, before: int) -> None:
    """Delete what is before an offset; the tool takes it from a file, written into `folder`."""
    places = folder / "delete-records.json"
    place = {"topic": topic, "partition": partition, "offset": before}
    places.write_text(json.dumps({"version": 1, "partitions": [place]}))
    operate(servers, "delete-records", "--offset-json-file", str(places))
