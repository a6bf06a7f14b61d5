"""Writes `cli/up/embedded/jars.lock`: every jar of the embedded Kafka by coordinates, SHA-256 and size, and no address.

Run by hand, with `make lock`, when Kafka's version is raised. Two sets: `server` runs a broker, `tools` adds Kafka's
console tools, which only the tests use. kafka-clients is named explicitly, because resolving the server alone gave another
version than Kafka's.
"""

from __future__ import annotations

import hashlib
import sys

from jgo.maven import Dependency, MavenContext

from cli.up.embedded.jars import LOCK_FILE

KAFKA = "4.3.1"
"""The console tools are published up to this version."""
LOG4J = "2.25.4"
"""The version that Kafka's own tools require."""
SERVER = (
    f"org.apache.kafka:kafka_2.13:{KAFKA}",
    f"org.apache.kafka:kafka-clients:{KAFKA}",
    f"org.apache.logging.log4j:log4j-api:{LOG4J}",
    f"org.apache.logging.log4j:log4j-core:{LOG4J}",
    f"org.apache.logging.log4j:log4j-slf4j-impl:{LOG4J}",
)
TOOLS = (f"org.apache.kafka:kafka-tools:{KAFKA}",)
UNUSED_BY_OUR_TOOLS = ("connect-", "jersey-", "jetty-", "hk2-", "jakarta.", "swagger-", "jackson-jakarta-",
                       "jackson-module-jakarta", "javassist", "classgraph", "plexus-", "maven-", "aopalliance",
                       "osgi-", "jaxb-", "activation", "javax.")  # fmt: skip
"""What kafka-tools brings for Kafka Connect; topics, consumer-groups and dump-log run without (tested)."""
HEADER = """\
# Written by `make lock`; do not edit. set group:artifact:version sha256 bytes
"""


def main() -> None:
    """Resolve both sets and write the lock file. Fails if jars of another Kafka version were resolved."""
    context = MavenContext()
    server = _resolve(context, SERVER)
    tools = {key: dep for key, dep in _resolve(context, (*SERVER, *TOOLS)).items() if key not in server}
    tools = {key: dep for key, dep in tools.items() if not key[1].startswith(UNUSED_BY_OUR_TOOLS)}
    lines = [_line("server", dep) for _, dep in sorted(server.items())]
    lines += [_line("tools", dep) for _, dep in sorted(tools.items())]
    strangers = [line for line in lines if " org.apache.kafka:" in line and f":{KAFKA} " not in line]
    if strangers:
        sys.exit("jars of another Kafka were resolved:\n" + "\n".join(strangers))
    LOCK_FILE.write_text(HEADER + "\n".join(lines) + "\n")
    print(f"{len(server)} server jars, {len(tools)} more for the tools")


def _resolve(context: MavenContext, coordinates: tuple[str, ...]) -> dict[tuple[str, str], Dependency]:
    # `!`: without it jgo takes the dependency management of every coordinate for a BOM over all the others
    wanted = [context.create_dependency(coordinate + "!") for coordinate in coordinates]
    inputs, transitive = context.resolver.resolve(wanted)
    return {
        (d.groupId, d.artifactId): d for d in (*inputs, *transitive) if d.scope in (None, "compile", "runtime")
    }


def _line(name: str, dependency: Dependency) -> str:
    data = dependency.artifact.resolve().read_bytes()
    coordinates = f"{dependency.groupId}:{dependency.artifactId}:{dependency.version}"
    return f"{name} {coordinates} {hashlib.sha256(data).hexdigest()} {len(data)}"


if __name__ == "__main__":
    main()
