"""What a command can be told that it cannot do; text for the person who typed it.

CommandError            exit code 1
├── BadArgument         exit code 2: an argument that means nothing here
├── NotRunning          no platform was found to talk to
├── NotAsAsked          what a command did was not found when it looked afterwards
├── UnknownLibrary      no record of that library is in the change log
├── ProvisionError      topics cannot be made as declared (`cli.provisioning.topics`)
├── MigrationError      the database cannot be brought up to date (`cli.provisioning.tables`)
├── AclError            the broker would not do what access control asks (`cli.provisioning.acls`)
├── UpError             the platform cannot be started here (`cli.up.errors`)
└── NoMarkers           a document has no place for a generated table (`cli.generate`)
"""

from __future__ import annotations

from collections.abc import Iterable


class CommandError(Exception):
    """Root of the tree. `exit_code`: what the process ends with; `retryable`: the same command may do later."""

    exit_code = 1
    retryable = False


class BadArgument(CommandError):
    """`argument` is its name as typed."""

    exit_code = 2

    def __init__(self, argument: str, reason: str) -> None:
        self.argument = argument
        self.reason = reason
        super().__init__(f"{argument}: {reason}")


class NotRunning(CommandError):
    """Neither settings nor a running platform say where to connect."""

    def __init__(self, looked_at: str) -> None:
        self.looked_at = looked_at
        super().__init__(
            "no Kafka to talk to: set CATALOGIZER_KAFKA__BOOTSTRAP_SERVERS, or start the platform with"
            f" `catalogizer up` (looked for {looked_at})"
        )


class NotAsAsked(CommandError):
    """The check after the deed found something else."""


class UnknownLibrary(CommandError):
    """`known`: libraries that were seen; not necessarily all there are."""

    def __init__(self, library: str, known: Iterable[str]) -> None:
        self.library = library
        self.known = tuple(sorted(known))
        newest = f"its newest records are of: {', '.join(self.known)}" if self.known else "it is empty"
        super().__init__(f"--library: no record of {library!r} is in the change log; {newest}")
