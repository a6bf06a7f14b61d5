"""What can stop a lane.

BrokenSnapshot         (a `StreamsError`) the chunks in the log do not match their manifest

LaneError              (a `StreamsError`)
├── LaneLost           another owner has fenced this one: give the lane up and wait for the group's decision
├── RulesChanged       the log was folded by other rules under the same version: no worker of this program may go on
├── RulesUnknown       the lane uses rules that this program does not have
├── FoldDiverged       a rebuilt fold does not agree with the position: replay would not equal live
├── ChangeLogReplaced  the change log is not the one that the position belongs to
└── LogTruncated       the beginning of the change log is gone, and no snapshot covers it
"""

from __future__ import annotations

from streams.errors import StreamsError


class BrokenSnapshot(StreamsError):
    """The snapshot is skipped; this only costs time."""


class LaneError(StreamsError):
    """Root of the tree. `lane`: its partition number."""

    def __init__(self, lane: int, text: str) -> None:
        self.lane = lane
        super().__init__(f"lane {lane}: {text}")


class LaneLost(LaneError):
    """Fenced."""

    def __init__(self, lane: int) -> None:
        super().__init__(lane, "another owner has taken over (fenced)")


class RulesChanged(LaneError):
    """`program`: the version that wrote the position, empty if unknown; `theirs`, `ours`: digests."""

    def __init__(self, lane: int, program: str, theirs: str, ours: str) -> None:
        self.program = program
        self.theirs = theirs
        self.ours = ours
        wrote = f"program {program} with rules {theirs}" if theirs else "a program older than 0.1.0"
        super().__init__(
            lane,
            f"rules_changed: its log was folded by {wrote}, this one has rules {ours}, and a replay would not equal live;"
            " run the program that wrote it, or begin a new log (another CATALOGIZER_STATE_DIR or topic prefix)."
            " Nothing was written",
        )


class RulesUnknown(LaneError):
    """`version`: of the rules; `program`: a version of the program that has them, if the log names one."""

    def __init__(self, lane: int, version: int, program: str) -> None:
        self.version = version
        self.program = program
        which = f"program {program} does" if program else "a program that does is needed"
        super().__init__(
            lane,
            f"rules_unknown: it goes by rules of version {version}, which this program does not carry; {which}",
        )


class FoldDiverged(LaneError):
    """`expected`: by the position; `found`: by the rebuilt fold."""

    def __init__(self, lane: int, expected: str, found: str) -> None:
        self.expected = expected
        self.found = found
        super().__init__(lane, f"fold_diverged: the position says {expected}, the rebuilt fold {found}")


class ChangeLogReplaced(LaneError):
    """The topic was recreated, or the position is beyond its end."""

    def __init__(self, lane: int, reason: str) -> None:
        self.reason = reason
        super().__init__(lane, f"log_epoch_changed: {reason}")


class LogTruncated(LaneError):
    """`first` is the first offset still there."""

    def __init__(self, lane: int, first: int) -> None:
        self.first = first
        super().__init__(
            lane, f"log_truncated: the change log begins at {first}, and no snapshot covers what was before it"
        )
