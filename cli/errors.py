"""What a command can be told that it cannot do; text for the person who typed it.

CommandError            exit code 1
├── BadArgument         exit code 2: an argument that means nothing here
├── NotRunning          no platform was found to talk to
└── NotAsAsked          what a command did was not found when it looked afterwards
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
    """Neither settings nor a running platform say where to connect."""

    def __init__(
        self, looked_at: str, wanted: str = "Kafka", variable: str = "CATALOGIZER_KAFKA__BOOTSTRAP_SERVERS"
    ) -> None:
        self.looked_at = looked_at
        self.wanted = wanted
        super().__init__(
            f"no {wanted} to talk to: set {variable}, or start the platform with"
            f" `catalogizer up` (looked for {looked_at})"
        )


class NotAsAsked(CommandError):
    """The check after the deed found something else."""
