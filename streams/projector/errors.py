"""What can stop the projector, or a record.

ProjectorError            (a `StreamsError`)
├── Alarm                 continuing could skip or mix records: the process ends, an operator decides
│   ├── LogEpochChanged   the rows were written from another topic of the same name
│   ├── LogOvertaken      retention removed records that were never projected
│   └── LogShorter        the log ends before the position: it has lost projected records
├── NotMigrated           the tables are missing (retryable)
├── NotGranted            the database's user lacks a right (retryable)
├── StoreUnavailable      the database cannot be reached now (retryable)
├── RowsRefused           the database rejects these rows, now and later
├── RebuildFailed         new tables could not be filled; the old ones are as they were (retryable)
│   └── TablesInUse       readers keep the old tables locked
├── GroupActive           a reset was requested while projectors run
└── NotBehind             a reset was requested to where nothing was projected yet
"""

from __future__ import annotations

from runtime.database import URL
from streams.errors import StreamsError
from streams.projector.positions import Partition


class ProjectorError(StreamsError):
    """Root of the tree."""


class Alarm(ProjectorError):
    """Needs an operator. `event`: its name in logs; `partition`: where."""

    event = "alarm"

    def __init__(self, partition: Partition, what: str) -> None:
        self.partition = partition
        super().__init__(f"{self.event} at {partition}: {what}")


class LogEpochChanged(Alarm):
    """The topic was deleted and created again since; its offsets mean other records now."""

    event = "log_epoch_changed"

    def __init__(self, partition: Partition, kept: str, found: str) -> None:
        self.kept = kept
        self.found = found
        super().__init__(
            partition,
            f"the rows were written from epoch {kept}, the topic is of epoch {found};"
            " project the new log into a new database",
        )


class LogOvertaken(Alarm):
    """Records between `position` and `beginning` are gone and were never projected."""

    event = "log_overtaken"

    def __init__(self, partition: Partition, position: int, beginning: int) -> None:
        self.position = position
        self.beginning = beginning
        super().__init__(
            partition, f"retention removed offsets {position} to {beginning - 1} before they were projected"
        )


class LogShorter(Alarm):
    """The log ends at `end`, before `position`."""

    event = "log_shorter"

    def __init__(self, partition: Partition, position: int, end: int) -> None:
        self.position = position
        self.end = end
        super().__init__(partition, f"the log ends at {end}, and {position} had been reached: it lost records")


class NotMigrated(ProjectorError):
    """A table or column is missing."""

    retryable = True

    def __init__(self, reason: str) -> None:
        super().__init__(f"the database has not the tables of this program ({reason}): run `catalogizer migrate`")


class NotGranted(ProjectorError):
    """The user lacks a right; the tables may exist. `reason`: the server's message."""

    retryable = True

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(
            f"the user of {URL} lacks a right ({reason}): it needs SELECT, INSERT, UPDATE and DELETE on every table that is"
            " not of accounts, and TEMPORARY in the database; `catalogizer migrate` grants them to catalogizer_project"
        )


class StoreUnavailable(ProjectorError):
    """The database cannot be reached, is starting, stopping, or was failed over; the outcome of the transaction in
    progress is not known."""

    retryable = True


class RowsRefused(ProjectorError):
    """A value does not fit its column, or a constraint forbids the row."""


class RebuildFailed(ProjectorError):
    """`reason`: the server's message, or ours."""

    retryable = True

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(f"the tables were not made anew, they are as they were: {reason}")


class TablesInUse(RebuildFailed):
    """`tries`: how many attempts were made to lock them, of a second each."""

    def __init__(self, tries: int) -> None:
        self.tries = tries
        super().__init__(f"others use the old tables all the time ({tries} tries); see pg_stat_activity")


class GroupActive(ProjectorError):
    """The group has members, so its positions must not be moved. `members`: client id at host."""

    def __init__(self, group: str, members: tuple[str, ...]) -> None:
        self.group = group
        self.members = members
        super().__init__(f"group {group} is active, stop its projectors first: {', '.join(members)}")


class NotBehind(ProjectorError):
    """Nothing was projected up to `target`: moving there would skip records."""

    def __init__(self, partition: Partition, position: int | None, target: int) -> None:
        self.partition = partition
        self.position = position
        self.target = target
        at = "has not begun" if position is None else f"stands at {position}"
        super().__init__(f"{partition} {at}: moving it to {target} would skip records")
