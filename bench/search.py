"""How long a search of a large catalogue takes, by kind of query, against the former way (LIKE on title and path) in the
same run; the size of the indexes, how long the migration takes on existing rows, what search costs the projector.

`python -m bench.search [--json] [--url DATABASE_URL] [ROWS]`: 1,000,000 by default, in a PostgreSQL of its own; with
`--url`, of a database with these rows, nothing is written and the projector is not measured.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from statistics import quantiles

import psycopg
from psycopg import sql
from psycopg_pool import AsyncConnectionPool

from bench.__main__ import database
from bench.projector import BATCH, CHANGES, a_database, measure, write
from bench.search_queries import hostile, typed
from bench.search_rows import COLUMNS, ROOTS, rows
from bench.support import additions_seconds, show
from cli.provisioning.tables import apply_migrations, migrations
from gateway.core.rights import EVERYTHING, Rights
from gateway.tables.catalogue import CatalogueQueries
from gateway.tables.wanted import Search

ROWS = 1_000_000
EACH = 100
HOSTILE = 400
FORMER = 15
SEARCH = "0007_search.sql"
SOME = Rights.of(["*"], [], ["books", "photos"])
_FORMER_COUNT = (
    "SELECT count(*) FROM media_items m WHERE m.deleted_at IS NULL AND m.belongs_to IS NULL"
    " AND (lower(m.title) LIKE lower(%(query)s) OR lower(m.path) LIKE lower(%(query)s))"
)
_FORMER_PAGE = _FORMER_COUNT.replace("count(*)", "m.item") + " ORDER BY m.updated_at DESC, m.id LIMIT 24"
_INDEXES = """
SELECT relname, pg_relation_size(i.indexrelid) FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
WHERE indrelid IN ('media_items'::regclass, 'search_vocabulary'::regclass) ORDER BY 2 DESC
"""


@dataclass(frozen=True, slots=True)
class Took:
    """Milliseconds of the queries of one kind, and how many found nothing."""

    kind: str
    p50: float
    p95: float
    most: float
    empty: int

    @classmethod
    def of(cls, kind: str, took: list[float], empty: int = 0) -> Took:
        """From the milliseconds of each query."""
        cuts = quantiles(took, n=100, method="inclusive")
        return cls(kind, cuts[49], cuts[94], max(took), empty)


def fill(url: str, count: int) -> None:
    """Insert rows as the projector writes them."""
    into = sql.SQL("COPY media_items ({}) FROM STDIN").format(sql.SQL(", ").join(map(sql.Identifier, COLUMNS)))
    with psycopg.connect(url) as connection:
        with connection.cursor().copy(into) as copy:
            for row in rows(count):
                copy.write_row(row)
        connection.execute(
            "INSERT INTO storage_roots (root, library, state, epoch, changed_at, src_partition, src_offset)"
            " SELECT root, 'home', 'declared', 'e', now(), 0, 0 FROM unnest(%s::text[]) AS root",
            ([*ROOTS],),
        )


def settled(url: str) -> None:
    """Leave the tables as autovacuum would."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")


def titles(url: str) -> list[str]:
    """Some existing titles."""
    with psycopg.connect(url) as connection:
        found = connection.execute(
            "SELECT title FROM media_items TABLESAMPLE SYSTEM (1) REPEATABLE (7) WHERE category <> 'photo' LIMIT 20000"
        )
        return [row[0] for row in found]


def former(url: str, queries: Iterable[str]) -> Took:
    """The former way: everything is counted, and a page is read."""
    took = []
    with psycopg.connect(url) as connection:
        for query in queries:
            began = time.perf_counter()
            for statement in (_FORMER_COUNT, _FORMER_PAGE):
                connection.execute(statement.encode(), {"query": f"%{query}%"}).fetchall()
            took.append((time.perf_counter() - began) * 1e3)
    return Took.of("the former way: one word", took)


async def timed(kind: str, work: Callable[[Search], Awaitable[int]], searches: Iterable[Search]) -> Took:
    """Each search once, one after the other."""
    took, empty = [], 0
    for wanted in searches:
        began = time.perf_counter()
        empty += await work(wanted) == 0
        took.append((time.perf_counter() - began) * 1e3)
    return Took.of(kind, took, empty)


async def ours(url: str) -> list[Took]:
    """Every kind of query."""
    by_kind = typed(titles(url), EACH, 11)
    words = by_kind["one word"]
    async with AsyncConnectionPool(url, min_size=1, max_size=2) as pool:
        catalogue = CatalogueQueries(pool)

        def seeing(rights: Rights) -> Callable[[Search], Awaitable[int]]:
            async def run(wanted: Search) -> int:
                return len((await catalogue.search(wanted, rights)).items)

            return run

        async def counts(_wanted: Search) -> int:
            return len((await catalogue.stats(EVERYTHING)).counts)

        everything = seeing(EVERYTHING)
        found = [
            await timed(kind, everything, [Search(query=query) for query in queries])
            for kind, queries in by_kind.items()
        ]
        for kind, queries in by_kind.items():
            if kind in ("two words, any order", "one or two letters wrong", "what much has"):
                ranked = [Search(query=query, sort_by="relevance") for query in queries]
                found.append(await timed(f"{kind}, by relevance", everything, ranked))
        facets = ("media_type", "category", "year", "quality", "storage_root")
        kinds: list[tuple[str, Callable[[Search], Awaitable[int]], list[Search]]] = [
            ("one word, sorted by title", everything, [Search(query=w, sort_by="title") for w in words]),
            ("one word, five facets", everything, [Search(query=w, facets=facets) for w in words]),
            ("everything, five facets", everything, [Search(facets=facets)] * 20),
            ("one word, two roots of six seen", seeing(SOME), [Search(query=w) for w in words]),
            ("everything, two roots of six seen", seeing(SOME), [Search()] * 20),
            ("by facts: codec, language, genre", everything, _by_facts()),
            ("by ranges: height, duration, year", everything, _by_ranges()),
            ("sorted by year, rating, size", everything, _sorted()),
            ("offset 10,000", everything, [Search(offset=10_000)] * 10),
            ("stats", counts, [Search()] * 20),
            (f"hostile ({HOSTILE})", everything, [Search(query=q) for q in hostile(HOSTILE, 3)]),
            (f"hostile ({HOSTILE}), by relevance", everything,
             [Search(query=q, sort_by="relevance") for q in hostile(HOSTILE, 4)]),
        ]  # fmt: skip
        return found + [await timed(*kind) for kind in kinds]


def _by_facts() -> list[Search]:
    return [
        *(Search(video_codec=codec) for codec in ("h264", "hevc", "av1")),
        *(Search(language=language, quality="1080p") for language in ("en", "ja", "uk")),
        *(Search(genre=genre, year_min=1990) for genre in ("rock", "Jazz", "metal")),
        *(Search(camera=camera, date_min="2020") for camera in ("X-T5", "pixel 8", "none such")),
    ] * 5  # fmt: skip


def _by_ranges() -> list[Search]:
    return [
        Search(height_min=2_000), Search(duration_max=120), Search(duration_min=7_200, rating_min=8),
        Search(year=1979), Search(year_min=1970, year_max=1972, category="movie"), Search(bit_rate_min=39_000_000),
        Search(pages_max=90), Search(file_size_max=2_000_000),
    ] * 5  # fmt: skip


def _sorted() -> list[Search]:
    return [
        Search(sort_by=by, sort_order=order)
        for by in ("year", "rating", "file_size", "title", "created_at") for order in ("asc", "desc")
    ] * 5  # fmt: skip


def projecting(server: str) -> tuple[float, float]:
    """Changes a second that the projector stores, without the search columns and with them."""
    before = [migration for migration in migrations() if migration.name < SEARCH]
    without, with_ = (
        max(
            measure("", server, CHANGES, lambda store, log: write(store, log, BATCH), known).per_second
            for _ in range(3)
        )
        for known in (before, None)
    )
    return without, with_


def indexes(url: str) -> dict[str, float]:
    """Megabytes of each index of items."""
    with psycopg.connect(url) as connection:
        return {name: size / 1e6 for name, size in connection.execute(_INDEXES.encode()).fetchall()}


def printed(title: str, took: list[Took], others: list[tuple[str, str]], figures: dict[str, float]) -> None:
    """Print the table, or the same as figures."""
    lines = [
        (one.kind, f"p50 {one.p50:.1f}, p95 {one.p95:.1f}, max {one.most:.1f} ms; {one.empty} found nothing")
        for one in took
    ]
    additions = additions_seconds()
    lines.append(("a loop of 10 million additions", f"{additions:.2f} s: how fast the machine is"))
    each = {"additions_seconds": additions}
    each |= {f"{one.kind}, p95": one.p95 for one in took} | {f"{one.kind}, max": one.most for one in took}
    show(title, lines + others, each | figures)


def main() -> None:
    """See the module."""
    words = [word for word in sys.argv[1:] if word != "--json"]
    if words[:1] == ["--url"]:
        printed("search", asyncio.run(ours(words[1])), [], {})
        return
    count = int(words[0]) if words else ROWS
    with database() as server, a_database(server, [m for m in migrations() if m.name < SEARCH]) as url:
        fill(url, count)
        settled(url)
        slow = former(url, typed(titles(url), FORMER, 11)["one word"])
        began = time.perf_counter()
        apply_migrations(url)
        migrated = time.perf_counter() - began
        settled(url)
        took, sizes = asyncio.run(ours(url)), indexes(url)
        without, with_ = projecting(server)
    others = [
        ("migration of these rows", f"{migrated:.0f} s"),
        ("indexes", f"{sum(sizes.values()):,.0f} MB, of words and facts {sizes['media_items_search']:.0f} MB"),
        (
            "projector, without search and with it",
            f"{without:,.0f} and {with_:,.0f} changes/s: {with_ / without:.2f} times",
        ),
    ]
    figures = {
        "migration_seconds": migrated,
        "indexes_mb": sum(sizes.values()),
        "projector_ratio": with_ / without,
    }
    printed(f"search, {count:,} items", [slow, *took], others, figures)


if __name__ == "__main__":
    main()
