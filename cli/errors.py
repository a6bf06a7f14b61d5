"""Why a command cannot be carried out; the text is for the person who typed it.

CommandError            exit code 1
├── BadArgument         exit code 2: an invalid argument
├── NotRunning          no running platform was found
└── NotAsAsked          the result differs from what was asked for
"""

from __future__ import annotations


class CommandError(Exception):
    """Root of the tree. `exit_code`: what the process ends with."""

    exit_code = 1


class BadArgument(CommandError):
    """`argument` is its name as typed."""

    exit_code = 2

    def __init__(self, argument: str, reason: str) -> None:
        self.argument = argument
        self.reason = reason
        super().__init__(f"{argument}: {reason}")


class NotRunning(CommandError):
    """Neither the settings nor a running platform give an address to connect to."""

    def __init__(self, looked_at: str) -> None:
        self.looked_at = looked_at
        super().__init__(
            "no Kafka to talk to: set CATALOGIZER_KAFKA__BOOTSTRAP_SERVERS, or start the platform with"
            f" `catalogizer up` (looked for {looked_at})"
        )


class NotAsAsked(CommandError):
    """The check after the change found another result."""
