"""Why a command cannot be carried out; the text is for the person who typed it.

CommandError            exit code 1
├── BadArgument         exit code 2: an argument that means nothing here
├── NotRunning          no platform was found to talk to
├── NotAsAsked          what a command did was not found when it looked afterwards
├── Unwell              a process that was asked does not do its work (retryable)
├── UnknownLibrary      no record of that library is in the change log
├── LogSilent           Kafka has stopped answering in the middle (retryable)
├── DatabaseUnreadable  the database that is set cannot be read (retryable)
├── NoTerminal          what is live needs a terminal (`cli.top`)
├── LineBreaks          names with line breaks cannot be lines
├── ProvisionError      topics cannot be made as declared (`cli.provisioning.topics`)
│   ├── WrongPartitions a topic has another number of partitions than it was declared with
│   ├── TopicRefused    the brokers refuse to make or change a topic
│   ├── NotVisible      a topic was made, and the brokers do not show it in time
│   └── Contended       others provision at the same time, again and again
├── AclError            permissions cannot be made as declared (`cli.provisioning.acls`)
│   ├── NoAuthorizer    the brokers keep no permissions
│   └── AclRefused      the brokers refuse to make or remove one
├── MigrationError      the database cannot be brought up to date (`cli.provisioning.tables`)
│   ├── ChangedMigration  one that was applied has other contents now
│   ├── LateMigration   one stands before others that were applied
│   └── NewerDatabase   the database was migrated by a newer program
├── TablesLocked        another process changes the tables (`cli.provisioning.tables_lock`, retryable)
├── NeedsSession        a pooler answers for the database, and a session of its own is needed (the same)
├── BackupError         a backup cannot be made or restored (`cli.backup.errors`)
└── UpError             the platform cannot be started here (`cli.up.errors`)
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
    """Neither the settings nor a running platform give an address to connect to."""

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


class Unwell(CommandError):
    """The reason is the process's own, or that it does not answer."""

    retryable = True


class UnknownLibrary(CommandError):
    """`known`: libraries that were seen; not necessarily all there are."""

    def __init__(self, library: str, known: Iterable[str]) -> None:
        self.library = library
        self.known = tuple(sorted(known))
        newest = f"its newest records are of: {', '.join(self.known)}" if self.known else "it is empty"
        super().__init__(f"--library: no record of {library!r} is in the change log; {newest}")


class LogSilent(CommandError):
    """`seconds`: for how long nothing came."""

    retryable = True

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        super().__init__(f"Kafka has not answered for {seconds:g} s (CATALOGIZER_KAFKA__BOOTSTRAP_SERVERS)")


class DatabaseUnreadable(CommandError):
    """`reason`: in plain words, without the server's own."""

    retryable = True

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(f"the database cannot be read: {reason}")


class LineBreaks(CommandError):
    """`count`: how many names have one."""

    def __init__(self, count: int) -> None:
        self.count = count
        super().__init__(f"{count} of the names have line breaks: use -0, which separates them by NUL")
