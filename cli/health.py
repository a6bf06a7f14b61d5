"""`catalogizer health`: queries the health of a process, as a container engine does every few seconds.

Uses only the standard library, so that `python -m cli.health 8081`, which the compose file runs, costs a tenth of what the
whole command line does.
"""

from __future__ import annotations

import argparse
import http.client
import json
import sys
from collections.abc import Sequence

READY = "/health/ready"
LIVE = "/health/live"
LONGEST_ANSWER = 65_536
UNWELL = 1
TIMEOUT_SECONDS = 4.0


def look(host: str, port: int, path: str, timeout_seconds: float) -> str | None:
    """None if the process answers that it is healthy, else the reason, in one line."""
    connection = http.client.HTTPConnection(host, port, timeout=timeout_seconds)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        body = answer.read(LONGEST_ANSWER)
    except (OSError, http.client.HTTPException) as error:
        return f"no answer from {host}:{port}: {error or type(error).__name__}"
    finally:
        connection.close()
    return None if answer.status == http.client.OK else _reason(answer.status, body)


def _reason(status: int, body: bytes) -> str:
    """`{"status": "unready", "problems": {"database": "…"}}` as `database: …`."""
    try:
        problems = json.loads(body)["problems"].items()
    except (ValueError, LookupError, TypeError, AttributeError):  # not our page: something else listens there
        return f"HTTP {status}"
    return "; ".join(f"{name}: {what}" for name, what in problems) or f"HTTP {status}"


def main(arguments: Sequence[str]) -> int:
    """`PORT [--live]`; the exit code. Prints nothing if the process is healthy."""
    parser = argparse.ArgumentParser(prog="python -m cli.health", description="Is the process on this port ready?")
    parser.add_argument("port", type=int)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--live", action="store_true", help="only whether it answers")
    parser.add_argument("--timeout", type=float, default=TIMEOUT_SECONDS, help="seconds")
    options = parser.parse_args(arguments)
    problem = look(options.host, options.port, LIVE if options.live else READY, options.timeout)
    if problem is not None:
        print(problem, file=sys.stderr)
        return UNWELL
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
