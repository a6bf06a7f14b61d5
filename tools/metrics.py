"""Every metric of the project, from the modules of the processes; alerts and documents may name only these."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from types import ModuleType

from prometheus_client import Counter, Gauge, Histogram

import gateway.metrics
import producer.metrics
import runtime.metrics
import streams.metrics
import streams.projector.metrics

TABLES: tuple[tuple[ModuleType, str], ...] = (
    (producer.metrics, "`watch`"),
    (streams.metrics, "`stream`"),
    (streams.projector.metrics, "`project`"),
    (gateway.metrics, "`serve`"),
    (runtime.metrics, "all"),
)


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric. `name`: as it is scraped; a histogram's series add `_bucket`, `_sum` and `_count`."""

    name: str
    kind: str
    labels: tuple[str, ...]
    process: str
    help: str

    @property
    def series(self) -> tuple[str, ...]:
        """The names that a query may use."""
        if self.kind == "histogram":
            return tuple(self.name + end for end in ("_bucket", "_sum", "_count"))
        return (self.name,)


def _metrics() -> Iterator[Metric]:
    for module, process in TABLES:
        for value in vars(module).values():
            if isinstance(value, Counter | Gauge | Histogram):
                name = value._name + ("_total" if isinstance(value, Counter) else "")
                yield Metric(name, value._type, tuple(value._labelnames), process, value._documentation)


METRICS = tuple(_metrics())
