"""The root of the tree of errors of the stream processes; each branch is defined in the module that raises it.

StreamsError
├── LaneError        what can stop a lane (`streams.library.errors`)
├── ProjectorError   what can stop the projector, or a record (`streams.projector.errors`)
├── TopicMadeAnew    a topic that is read was recreated since the start (`streams.main`)
├── Undelivered      an alert has not reached some of its targets (`streams.alerts.delivery`)
├── NotConfirmed     a record may or may not be in the log (`streams.confirmed`)
├── UnknownRules     the program has no rules of that version (`streams.core.rules`)
├── NoChild          no probing child could be started (`streams.analysis.children`)
├── TooSlow          a probing child has not answered in time (`streams.analysis.children`)
├── Unprobeable      a file cannot be probed as requested (`streams.analysis.files`)
└── Damaged          a file is not what its name says (`streams.analysis.probe.read`)
"""

from __future__ import annotations


class StreamsError(Exception):
    """Root of the tree. `retryable`: the same operation may succeed later."""

    retryable = False


class TopicMadeAnew(StreamsError):
    """The topic was recreated: its offsets mean other records now."""

    def __init__(self, topic: str, before: str, now: str) -> None:
        self.topic = topic
        super().__init__(f"{topic} was made anew: its epoch was {before} and is {now}")
