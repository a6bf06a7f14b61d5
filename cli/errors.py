"""Why a command cannot be carried out; the text is for the person who typed it.

CommandError            exit code 1
├── BadArgument         exit code 2: an argument that is not valid here
├── NotRunning          no platform was found to connect to
├── NotConfirmed        the effect of a command could not be confirmed afterwards
├── Unwell              a process is not healthy or does not answer (retryable)
├── UnknownLibrary      no record of that library is in the change log
├── LogSilent           Kafka stopped answering during the command (retryable)
├── DatabaseUnreadable  the database that is set cannot be read (retryable)
├── NotWritten          exit code 2: a secret is not written into its file (`cli.from_environment`)
├── NoTerminal          a live display needs a terminal (`cli.top`)
├── LineBreaks          names with line breaks cannot be printed one a line
├── ProvisionError      topics cannot be created as declared (`cli.provisioning.topics`)
│   ├── WrongPartitions a topic has another number of partitions than it was declared with
│   ├── TopicRefused    the brokers refuse to create or change a topic
│   ├── IncompleteCopy  the log there is one that `move-log` has not completed
│   ├── NotVisible      a topic was created, but the brokers do not show it in time
│   └── Contended       others provision at the same time, again and again
├── AclError            permissions cannot be created as declared (`cli.provisioning.acls`)
│   ├── NoAuthorizer    the brokers enforce no permissions
│   └── AclRefused      the brokers refuse to list or add permissions
├── MigrationError      the database cannot be brought up to date (`cli.provisioning.tables`)
│   ├── ChangedMigration  a migration's file was changed after it was applied
│   ├── LateMigration   a migration is numbered before others that were applied
│   └── NewerDatabase   the database was migrated by a newer program
├── TablesLocked        another process changes the tables (`cli.provisioning.tables_lock`, retryable)
├── NeedsSession        the command needs a database session, and the URL is a pooler's (the same)
├── BackupError         a backup cannot be made or restored (`cli.backup.errors`)
├── MoveError           the log cannot be moved to other brokers (`cli.moving.errors`)
└── UpError             the platform cannot be started here (`cli.up.errors`)
"""

from __future__ import annotations

from collections.abc import Iterable


class CommandError(Exception):
    """Base of these errors. `exit_code`: of the process; `retryable`: the same command may succeed later."""

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


class NotConfirmed(CommandError):
    """The check after an action did not find its effect."""


class Unwell(CommandError):
    """The text is the process's own reason, or that it does not answer."""

    retryable = True


class UnknownLibrary(CommandError):
    """`known`: libraries that were found; there may be others."""

    def __init__(self, library: str, known: Iterable[str]) -> None:
        self.library = library
        self.known = tuple(sorted(known))
        newest = f"its newest records are of: {', '.join(self.known)}" if self.known else "it is empty"
        super().__init__(f"--library: no record of {library!r} is in the change log; {newest}")


class LogSilent(CommandError):
    """`seconds`: for how long Kafka sent nothing."""

    retryable = True

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        super().__init__(f"Kafka has not answered for {seconds:g} s (CATALOGIZER_KAFKA__BOOTSTRAP_SERVERS)")


class DatabaseUnreadable(CommandError):
    """`reason`: in plain words, without the server's own message."""

    retryable = True

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(f"the database cannot be read: {reason}")


class LineBreaks(CommandError):
    """`count`: how many names have line breaks."""

    def __init__(self, count: int) -> None:
        self.count = count
        super().__init__(f"{count} of the names have line breaks: use -0, which separates them by NUL")
