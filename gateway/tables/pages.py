"""The statements of a search: finding what matches, reading a page along an index, reading items. Pure.

Each takes a `Plan`; none executes anything.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import LiteralString

from psycopg import sql

from gateway.core.rights import Rights
from gateway.tables.conditions import (
    Condition,
    NearWords,
    begins,
    begins_not,
    by_facts,
    filtered,
    matching,
    rank,
    there,
)
from gateway.tables.order import Key, Value, Way, after, keys_of, ordered
from gateway.tables.terms import NOTHING, Terms
from gateway.tables.wanted import COUNTED, FACET_COLUMNS, FACTS, Search

MANY = 4_000
"""Hits that are examined one by one: each costs some microseconds, and people see no difference between so many and more."""
MANY_WITH_FACETS = 10_000
"""The same where values are counted too, which people compare."""
COMMON = 15
"""If one in so many items is a hit, the first hits are found sooner by reading all items in turn than by finding all hits in
the index, of which each takes a microsecond."""
FACET_VALUES = 50

_ITEM: LiteralString = "SELECT m.item, m.storage_root, coalesce(r.protocol, 'local') AS protocol"
_OF: LiteralString = " FROM media_items m LEFT JOIN storage_roots r ON r.root = m.storage_root"
ITEM: LiteralString = _ITEM + _OF
_AS: tuple[LiteralString, ...] = ("k0", "k1", "k2")


@dataclass(frozen=True, slots=True)
class Plan:
    """A search and how its page is found. `after`: the values of the previous page's last item."""

    wanted: Search
    rights: Rights
    terms: Terms = NOTHING
    near: NearWords = field(default_factory=dict)
    way: Way = "plain"
    offset: int = 0
    after: tuple[Value, ...] | None = None

    @property
    def keys(self) -> tuple[Key, ...]:
        """The order of the page."""
        return keys_of(self.way, self.wanted)

    @property
    def indexed_condition(self) -> Condition:
        """All conditions on an item, in the form for the index of words and facts, if that can find any of it."""
        wanted, rights = self.wanted, self.rights
        indexable = bool(self.terms.words) or any(name in FACTS for name in wanted.filters)
        filters = by_facts(wanted, rights) if indexable else filtered(wanted, rights)
        return there(wanted, filters) & matching(self.terms, self.near)

    @property
    def ordered_condition(self) -> Condition:
        """The same, in the form for reading along the index of an order."""
        condition = there(self.wanted, filtered(self.wanted, self.rights)) & matching(self.terms, self.near)
        match self.way:
            case "beginning":
                return condition & begins(self.terms)
            case "others":
                return condition & begins_not(self.terms)
            case "plain" | "ranked":
                return condition


def many(wanted: Search) -> int:
    """How many hits of a search are examined."""
    return MANY_WITH_FACETS if wanted.facets else MANY


def looking(plan: Plan, most: int) -> Condition:
    """The number of hits, the ids of the page and one more, and the facets' values: of at most `most` hits and one, but of
    all hits if this is a later page by rank."""
    keys = plan.keys
    inside = [replace(key, of=name) for key, name in zip(keys, _AS, strict=False)]
    columns: list[sql.Composable] = [
        sql.SQL(key.of + " AS ") + sql.SQL(name) for key, name in zip(keys, _AS, strict=False)
    ]
    grouped = [name for name in plan.wanted.facets if name in FACET_COLUMNS]
    facets = [
        _grouped_facet(grouped, name) if name in FACET_COLUMNS else _facts_facet(name)
        for name in plan.wanted.facets
    ]
    columns += [sql.SQL(FACET_COLUMNS[name] + " AS ") + _column(name) for name in grouped]
    if len(grouped) < len(facets):
        columns.append(sql.SQL("m.facts"))
    condition, source = plan.indexed_condition, _source(plan)
    beyond, values = _after(inside, plan.after)
    whole = plan.way == "ranked" and plan.after is not None
    statement = sql.SQL(
        "WITH hits AS MATERIALIZED (SELECT {columns} FROM media_items m{source} WHERE {condition} LIMIT {most}),"
        " page AS (SELECT * FROM hits WHERE {beyond}{order} LIMIT {limit} OFFSET {offset}){groups}"
        " SELECT (SELECT count(*) FROM hits), (SELECT array_agg({id}{order}) FROM page), json_build_array({facets})"
    ).format(
        columns=sql.SQL(", ").join(columns),
        source=source.clause,
        condition=condition.clause,
        most=sql.SQL("ALL") if whole else sql.Literal(most + 1),
        beyond=beyond,
        order=ordered(inside),
        limit=sql.Literal(plan.wanted.limit + 1),
        offset=sql.Literal(plan.offset),
        groups=_groups(grouped),
        id=sql.SQL(inside[-1].of),
        facets=sql.SQL(", ").join(facets),
    )
    return Condition(statement, condition.values | source.values | values)


def expecting(plan: Plan) -> Condition:
    """PostgreSQL's estimate of the number of hits."""
    condition = plan.indexed_condition
    return Condition(
        sql.SQL("EXPLAIN (FORMAT JSON) SELECT FROM media_items m WHERE {}").format(condition.clause),
        condition.values,
    )


ITEMS: LiteralString = "SELECT reltuples::bigint FROM pg_class WHERE oid = 'media_items'::regclass"
"""PostgreSQL's estimate of the number of items."""


def walking(plan: Plan, limit: int, offset: int) -> Condition:
    """The ids of a page, in its order."""
    condition = plan.ordered_condition
    beyond, values = _after(plan.keys, plan.after)
    statement = sql.SQL("SELECT m.id FROM media_items m WHERE {} AND {}{} LIMIT {} OFFSET {}").format(
        condition.clause, beyond, ordered(plan.keys), sql.Literal(limit), sql.Literal(offset)
    )
    return Condition(statement, condition.values | values)


def showing(plan: Plan, ids: Sequence[int]) -> Condition:
    """Items with the values that their order uses."""
    source = _source(plan)
    statement = sql.SQL(
        "{item}, {keys}{of}{source} WHERE m.id = ANY(%(ids)s) ORDER BY array_position(%(ids)s, m.id)"
    ).format(
        item=sql.SQL(_ITEM),
        keys=sql.SQL(", ").join([sql.SQL(key.of) for key in plan.keys]),
        of=sql.SQL(_OF),
        source=source.clause,
    )
    return Condition(statement, source.values | {"ids": [*ids]})


def counting(plan: Plan) -> Condition | None:
    """The same from `media_counts`, facets of its columns too; None if the search needs more than it has."""
    if plan.wanted.belongs_to is not None or not plan.terms.nothing or not plan.wanted.filters.keys() <= COUNTED:
        return None
    condition = filtered(plan.wanted, plan.rights)
    facets = [_counted_facet(name) for name in plan.wanted.facets if name in COUNTED]
    statement = sql.SQL(
        "WITH hits AS MATERIALIZED (SELECT * FROM media_counts m WHERE {}{} AND m.items > 0)"
        " SELECT (SELECT coalesce(sum(items), 0)::bigint FROM hits), json_build_array({})"
    ).format(
        condition.clause,
        sql.SQL(" AND NOT m.part" if plan.wanted.parts_hidden else ""),
        sql.SQL(", ").join(facets),
    )
    return Condition(statement, condition.values)


def _source(plan: Plan) -> Condition:
    """The rank, if the order uses it."""
    if plan.way != "ranked":
        return Condition(sql.SQL(""))
    ranked = rank(plan.terms)
    return Condition(sql.SQL(" CROSS JOIN LATERAL (SELECT {} AS rank) h").format(ranked.clause), ranked.values)


def _after(keys: Sequence[Key], values: Sequence[Value] | None) -> tuple[sql.Composable, dict[str, Value]]:
    return (sql.SQL("true"), {}) if values is None else after(keys, values)


def _column(name: str) -> sql.Identifier:
    return sql.Identifier(f"facet_{name}")


_TOP: LiteralString = (
    "(SELECT json_agg(json_build_array(v, n) ORDER BY n DESC, v) FROM (SELECT {value} AS v, {count} AS n FROM {rows}"
    " WHERE {which} GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT {most}) AS top)"
)


def _groups(names: Sequence[str]) -> sql.Composable:
    """The values of these columns and how many hits have each, all found in one pass over the hits."""
    if not names:
        return sql.SQL("")
    columns = sql.SQL(", ").join([_column(name) for name in names])
    sets = sql.SQL("), (").join([_column(name) for name in names])
    return sql.SQL(
        ", groups AS MATERIALIZED (SELECT {0}, grouping({0}) AS of, count(*) AS n FROM hits GROUP BY GROUPING SETS (({1})))"
    ).format(columns, sets)


def _grouped_facet(names: Sequence[str], name: str) -> sql.Composed:
    others = sum(
        1 << bit for bit, other in enumerate(reversed(names)) if other != name
    )  # `grouping`'s first is its highest
    which = sql.SQL("of = {} AND {} <> ''").format(sql.Literal(others), _column(name))
    return _top(_column(name), sql.SQL("max(n)"), sql.SQL("groups"), which)


def _facts_facet(name: str) -> sql.Composed:
    begin, at = sql.Literal(f"{name}="), sql.Literal(len(name) + 2)
    return _top(
        sql.SQL("substr(fact, {})").format(at),
        sql.SQL("count(*)"),
        sql.SQL("hits, unnest(facts) AS fact"),
        sql.SQL("starts_with(fact, {})").format(begin),
    )


def _counted_facet(name: str) -> sql.Composed:
    column = sql.Identifier(name)
    return _top(column, sql.SQL("sum(items)::bigint"), sql.SQL("hits"), sql.SQL("{} <> ''").format(column))


def _top(value: sql.Composable, count: sql.SQL, rows: sql.SQL, which: sql.Composable) -> sql.Composed:
    most = sql.Literal(FACET_VALUES)
    return sql.SQL(_TOP).format(value=value, count=count, rows=rows, which=which, most=most)
