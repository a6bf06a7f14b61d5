"""The queries of dashboard and alerts, and what their results mean. Pure.

A panel must show something. An alert must not fire on a healthy platform, so each metric that it reads is also queried: an
alert on a metric that is misspelt or not exposed could never fire.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from tools.dashboard import PANELS

Kind = Literal["panel", "alert", "read by alert"]
Verdict = Literal["shows", "empty, rightly", "EMPTY", "UNEXPECTED"]

_NO_CERTIFICATES = "the demo connects to nothing over TLS: no file of certificates is configured"
EMPTY_IS_RIGHT: Mapping[str, str] = {
    "catalogizer_certificate_expires_timestamp_seconds": _NO_CERTIFICATES,
    "catalogizer_certificate_unreadable": _NO_CERTIFICATES,
}
"""Why a metric is absent on a healthy demo platform."""
ALL_IS_WELL = "nothing is wrong"

_SELECTOR = re.compile(r"(catalogizer_\w+|\bup)(\{[^}]*\})?")


@dataclass(frozen=True, slots=True)
class Query:
    """`name`: of the panel or alert; `text`: PromQL."""

    kind: Kind
    name: str
    text: str

    @property
    def excuse(self) -> str | None:
        """Why it may be empty."""
        if self.kind == "alert":
            return ALL_IS_WELL
        names = {name for name, _ in _SELECTOR.findall(self.text)}
        return next((EMPTY_IS_RIGHT[name] for name in names if name in EMPTY_IS_RIGHT), None)


@dataclass(frozen=True, slots=True)
class Answered:
    """A query and its number of samples (NaN not counted)."""

    query: Query
    samples: int

    @property
    def verdict(self) -> Verdict:
        """Whether the result is as expected. An excuse that is not needed is as wrong as one that is missing."""
        excuse = self.query.excuse
        if self.samples:
            return "shows" if excuse is None else "UNEXPECTED"
        return "EMPTY" if excuse is None else "empty, rightly"

    @property
    def is_right(self) -> bool:
        """True if nothing has to be corrected."""
        return self.verdict in ("shows", "empty, rightly")


def queries(rules: Iterable[Mapping[str, Any]]) -> Iterator[Query]:
    """All queries. `rules`: those of `alerts.yml`."""
    for title, _, text, _ in PANELS:
        yield Query("panel", title, text)
    for rule in rules:
        name, text = rule["alert"], rule["expr"]
        yield Query("alert", name, text)
        for selector in dict.fromkeys(metric + labels for metric, labels in _SELECTOR.findall(text)):
            yield Query("read by alert", name, selector)


def samples(result: Sequence[Mapping[str, Any]]) -> int:
    """How many numbers a result of Prometheus's HTTP API contains."""
    return sum(not math.isnan(float(sample["value"][1])) for sample in result)
