"""One search: which statements it takes, depending on the number of hits.

Up to `many` hits are examined: they and their facets are counted, and if there are no more, they are sorted there. If there
are more, a page is read along the index of its order, because a good part of all items match; if they are at its far end,
that is given up soon and they are sorted after all. If PostgreSQL expects many times more, facets are counted of fewer of
them. Searches that use only the columns of `media_counts` are counted there, whatever their number.

Near words (`terms`) are accepted if nothing is found as typed, and by relevance also if little is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import psycopg
from psycopg import sql

from gateway.core.rights import Rights
from gateway.tables.conditions import Condition, Values
from gateway.tables.order import BadCursor, Cursor, cursor_of
from gateway.tables.pages import COMMON, ITEMS, MANY, Plan, counting, expecting, looking, many, showing, walking
from gateway.tables.terms import NEAR_TWICE, nearest, one_edit, terms_of, tokens
from gateway.tables.wanted import COUNTED, Search

NEAR_BELOW = 100
"""By relevance, near words are accepted below this number of hits."""
VERY_MANY = 3
"""Hits are not counted if PostgreSQL's statistics expect so many times `many`: there are certainly more."""
WALK_MS = 50
"""How long a page is read along an index before its items are sorted instead."""

_SNAPSHOT = (
    "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY;"
    " SET LOCAL jit = off; SET LOCAL work_mem = '16MB'; SET LOCAL effective_io_concurrency = 200;"
    " SET LOCAL statement_timeout = '10s'"
)
"""The timeout lets the server end the statements of a gateway that was killed. Hits are scattered over the table: reading
ahead takes a quarter of the time. A bitmap of them fits into `work_mem`."""
_FOLD = sql.SQL(
    "SELECT search_words(piece) FROM unnest(%(pieces)s::text[]) WITH ORDINALITY AS u(piece, n) ORDER BY n"
)
_NEAR_ONCE = sql.SQL("SELECT word FROM search_vocabulary WHERE word = ANY(%(edits)s)")
_NEAR_TWICE = sql.SQL("SELECT word FROM search_vocabulary WHERE word %% %(word)s LIMIT 500")
WALK = (
    "SET LOCAL enable_bitmapscan = off; SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off;"
    f" SET LOCAL statement_timeout = {WALK_MS}"
)
_IN_TURN = (
    "SET LOCAL enable_bitmapscan = off; SET LOCAL enable_indexscan = off; SET LOCAL enable_indexonlyscan = off"
)
_SORT = "SET LOCAL enable_indexscan = off; SET LOCAL enable_indexonlyscan = off"


@dataclass(frozen=True, slots=True)
class Item:
    """One row: the item as browsers get it, and its root."""

    item: dict[str, Any]
    storage_root: str
    protocol: str


@dataclass(frozen=True, slots=True)
class Facet:
    """A value and how many hits have it."""

    value: str
    count: int


Facets = dict[str, list[Facet]]


@dataclass(frozen=True, slots=True)
class Found:
    """A page. Not `exact`: there are more hits than `total`; not `facets_exact`: the facets' counts are lower bounds."""

    items: list[Item]
    total: int
    exact: bool
    more: bool
    next_cursor: str | None
    facets: Facets
    facets_exact: bool


@dataclass(frozen=True, slots=True)
class _Hits:
    """The result of examining hits. `ids`: of the page and one more; None if there are too many to sort."""

    total: int
    exact: bool
    ids: list[int] | None
    facets: Facets
    facets_exact: bool


class Searching:
    """One search, in a transaction of its own that sees one state of the tables. Raises BadCursor, psycopg.Error."""

    def __init__(self, connection: psycopg.AsyncConnection, wanted: Search, rights: Rights) -> None:
        self._connection = connection
        self._cursor = cursor_of(wanted)
        self._wanted = wanted
        self._plan = Plan(wanted, rights, offset=wanted.offset)

    async def found(self) -> Found:
        """The page."""
        async with self._connection.transaction():
            await self._connection.execute(_SNAPSHOT)
            plan = await self._planned()
            if plan is None:
                return Found([], 0, True, False, None, {name: [] for name in self._wanted.facets}, True)
            hits = await self._examine(plan)
            if self._cursor is None and self._too_few(plan, hits) and (near := await self._near_words(plan)):
                plan = replace(plan, near=near)
                hits = await self._examine(plan)
            ways = await self._ids(plan, hits)
            return await self._shown(ways, hits)

    async def _planned(self) -> Plan | None:
        """The plan with the query's terms and the cursor; None if the query has nothing that could be found."""
        plan, wanted, cursor = self._plan, self._wanted, self._cursor
        if wanted.query is not None and (pieces := tokens(wanted.query)):
            folded = [row[0] for row in await self._rows(_FOLD, {"pieces": pieces})]
            plan = replace(plan, terms=terms_of(pieces, folded))
            if plan.terms.nothing:
                return None
        if cursor is None:
            ranked = wanted.sort_by == "relevance" and bool(plan.terms.words)
            return replace(plan, way="ranked" if ranked else "plain")
        if cursor.way != "plain" and (wanted.sort_by != "relevance" or not plan.terms.words):
            raise BadCursor("not one of ours")
        plan = replace(plan, way=cursor.way, after=cursor.values)
        return replace(plan, near=await self._near_words(plan)) if cursor.near else plan

    def _too_few(self, plan: Plan, hits: _Hits) -> bool:
        return bool(plan.terms.doubtful) and hits.total < (NEAR_BELOW if plan.way == "ranked" else 1)

    async def _near_words(self, plan: Plan) -> dict[str, tuple[str, ...]]:
        found: dict[str, tuple[str, ...]] = {}
        for word in plan.terms.doubtful:
            near = nearest(word, [row[0] for row in await self._rows(_NEAR_ONCE, {"edits": one_edit(word)})])
            if not near and len(word) >= NEAR_TWICE:
                near = nearest(word, [row[0] for row in await self._rows(_NEAR_TWICE, {"word": word})])
            if near:
                found[word] = near
        return found

    async def _examine(self, plan: Plan) -> _Hits:
        """Count the hits, and find the page if that does not take too much."""
        names, most = self._wanted.facets, many(self._wanted)
        counted = await self._counted(plan)
        if counted is not None and counted.total > most and counted.facets.keys() == set(names):
            return counted
        continues = plan.way == "ranked" and plan.after is not None
        expected = 0 if continues else await self._expected(plan) if counted is None else counted.total
        if counted is None and not names and expected >= VERY_MANY * most:
            return _Hits(most, False, None, {}, True)
        tiers = plan.way in ("beginning", "others")
        examined = replace(plan, way="plain", after=None, offset=0) if tiers else plan
        if names and expected >= VERY_MANY * most:
            total, ids, tops = await self._sampled(examined, expected)
            total = most + 1 if total > MANY else total
        else:
            ((total, ids, tops),) = await self._do(looking(examined, most))
        exact, facets = continues or total <= most, _facets(names, tops)
        if counted is not None and not exact:
            return replace(counted, facets=facets | counted.facets, facets_exact=False)
        return _Hits(total if exact else most, exact, (ids or []) if exact and not tiers else None, facets, exact)

    async def _sampled(self, plan: Plan, expected: int) -> tuple[Any, ...]:
        """The same of a part of very many hits: of those that are found soonest."""
        ((items,),) = await self._rows(sql.SQL(ITEMS), {})
        async with self._connection.transaction(force_rollback=True):  # restores the settings
            if expected * COMMON >= items:
                await self._connection.execute(_IN_TURN)
            (found,) = await self._do(looking(plan, MANY))
        return found

    async def _expected(self, plan: Plan) -> int:
        """How many hits PostgreSQL's statistics expect."""
        ((explained,),) = await self._do(expecting(plan))
        return int(explained[0]["Plan"]["Plan Rows"])

    async def _counted(self, plan: Plan) -> _Hits | None:
        condition = counting(plan)
        if condition is None:
            return None
        ((total, tops),) = await self._do(condition)
        names = [name for name in self._wanted.facets if name in COUNTED]
        return _Hits(total, True, None, _facets(names, tops), True)

    async def _ids(self, plan: Plan, hits: _Hits) -> list[tuple[Plan, list[int]]]:
        """The ids of the page and one more, by their order."""
        if hits.ids is not None:
            return [(plan, hits.ids)]
        most = self._wanted.limit + 1
        if plan.way == "plain":
            return [(plan, await self._walk(plan, most, plan.offset))]
        ways: list[tuple[Plan, list[int]]] = []
        skip, most = plan.offset, most + plan.offset
        for way in ("beginning", "others"):
            if plan.way == "others" and way == "beginning":
                continue
            part = replace(plan, way=way, after=plan.after if way == plan.way else None)
            ids = await self._walk(part, most, 0) if most else []
            ways.append((part, ids[skip:]))
            skip, most = max(0, skip - len(ids)), most - len(ids)
        return ways

    async def _walk(self, plan: Plan, limit: int, offset: int) -> list[int]:
        statement = walking(plan, limit, offset)
        try:
            async with self._connection.transaction(force_rollback=True):  # restores the settings
                await self._connection.execute(WALK)
                return [row[0] for row in await self._do(statement)]
        except psycopg.errors.QueryCanceled:
            async with self._connection.transaction(force_rollback=True):
                await self._connection.execute(_SORT)
                return [row[0] for row in await self._do(statement)]

    async def _shown(self, ways: Sequence[tuple[Plan, list[int]]], hits: _Hits) -> Found:
        items: list[Item] = []
        cursor: Cursor | None = None
        limit = self._wanted.limit
        for plan, ids in ways:
            if wanted := ids[: limit - len(items)]:
                rows = await self._do(showing(plan, wanted))
                items += [Item(*row[:3]) for row in rows]
                cursor = Cursor(plan.way, bool(plan.near), tuple(rows[-1][3:]))
        more = sum(len(ids) for _, ids in ways) > limit
        then = cursor.text(self._wanted) if more and cursor is not None else None
        return Found(items, hits.total, hits.exact, more, then, hits.facets, hits.facets_exact)

    async def _do(self, condition: Condition) -> list[tuple[Any, ...]]:
        return await self._rows(condition.clause, condition.values)

    async def _rows(self, statement: sql.Composable, values: Values) -> list[tuple[Any, ...]]:
        """Never prepared: a plan made for any words is good for none."""
        query = sql.Composed([statement])
        return await (await self._connection.execute(query, values, prepare=False)).fetchall()


def _facets(names: Sequence[str], tops: list[list[list[Any]] | None]) -> Facets:
    return {
        name: [Facet(value, count) for value, count in top or ()] for name, top in zip(names, tops, strict=True)
    }
