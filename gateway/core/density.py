"""How many events there are in each bucket of a time range, for a timeline. Pure.

For buckets in the log, its time index gives the offset at which each bucket begins, and the difference of two offsets is
about the number of events between: transaction markers and aborted records take offsets too. Edges are found by halving,
so that a range in which nothing was appended costs one query, however many buckets it has.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple


@dataclass(frozen=True, slots=True)
class Density:
    """`edges` (ms since 1970): bucket i begins at edge i and ends before edge i+1. `counts` None: unknown. `source`: the
    offsets of the log (approximate), or events in memory (exact)."""

    edges: Sequence[int]
    counts: Sequence[int | None]
    source: Literal["log", "memory"]


def edges_of(begin: int, end: int, buckets: int) -> list[int]:
    """The edges of `buckets` buckets of about the same length, none shorter than a millisecond; of at least one."""
    end = max(end, begin + 1)
    count = min(buckets, end - begin)
    return [begin + (end - begin) * i // count for i in range(count + 1)]


class Query(NamedTuple):
    """At which offset the time of an edge begins, in these partitions."""

    edge: int
    partitions: tuple[int, ...]


class Halving:
    """Offsets at the edges of `count` buckets; `starts` and `ends`: at the first edge and at the last one, by partition."""

    def __init__(self, count: int, starts: Mapping[int, int], ends: Mapping[int, int]) -> None:
        self._at: list[dict[int, int]] = [{} for _ in range(count + 1)]
        self._at[0] = dict(starts)
        self._at[-1] = {p: max(start, ends[p]) for p, start in starts.items()}
        self._spans = [(0, count)]

    def queries(self) -> list[Query]:
        """The next queries; empty if everything is known. All of them must be answered before the next call."""
        queries, spans = [], []
        for low, high in self._spans:
            if high - low < 2:
                continue
            middle = (low + high) // 2
            before, after = self._at[low], self._at[high]
            moved = tuple(p for p, offset in before.items() if offset != after[p])
            if not moved:
                self._at[low + 1 : high] = [before] * (high - low - 1)
                continue
            self._at[middle] = dict(before)
            queries.append(Query(middle, moved))
            spans += [(low, middle), (middle, high)]
        self._spans = spans
        self._bounds = {q.edge: span for q, span in zip(queries, self._pairs(spans), strict=True)}
        return queries

    def answer(self, query: Query, found: Mapping[int, int | None]) -> None:
        """Take the offsets of the query's edge; None: no record is as new."""
        low, high = self._bounds[query.edge]
        for p in query.partitions:
            offset, after = found.get(p), self._at[high][p]
            self._at[query.edge][p] = after if offset is None else min(after, max(self._at[low][p], offset))

    def counts(self) -> list[int]:
        """Offsets in each bucket, over all partitions."""
        return [
            sum(after[p] - offset for p, offset in before.items())
            for before, after in zip(self._at, self._at[1:], strict=False)
        ]

    @staticmethod
    def _pairs(spans: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
        """For two halves each: the range that they cover together."""
        return [(spans[i][0], spans[i + 1][1]) for i in range(0, len(spans), 2)]


def tallied(edges: Sequence[int], times: Iterable[int], known_from: int) -> list[int | None]:
    """Count events by their append times; None for a bucket that begins before `known_from`."""
    counts = [0] * (len(edges) - 1)
    for at in times:
        if edges[0] <= at < edges[-1]:
            counts[bisect_right(edges, at) - 1] += 1
    return [None if edge < known_from else count for edge, count in zip(edges, counts, strict=False)]
