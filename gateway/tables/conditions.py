"""A search as conditions over `media_items m`: rights, filters, words. Pure.

All values are parameters; what cannot be a parameter comes from a table.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, LiteralString

from psycopg import sql

from gateway.core.rights import Rights
from gateway.tables.sight import by_library, by_root, sight
from gateway.tables.terms import Terms, pattern
from gateway.tables.wanted import COLUMNS, MAX_FACT, ONLY_TRUE, WITHIN, Search, fact

Values = dict[str, Any]
NearWords = Mapping[str, tuple[str, ...]]

LONG = 8
"""Letters of a near word that the index looks for without the spaces around it: those trigrams are in so many rows that for
such a word they take longer than they save."""

_RANK: LiteralString = (
    "CASE WHEN NOT {exact} THEN 7 WHEN m.title_words = {whole} THEN 0 WHEN m.title_words LIKE {begins} THEN 1"
    " WHEN {title_wholes} THEN 2 WHEN {title_beginnings} THEN 3 WHEN {title_parts} THEN 4 WHEN {wholes} THEN 5 ELSE 6 END"
)


@dataclass(frozen=True, slots=True)
class Condition:
    """A clause for WHERE, with its values."""

    clause: sql.Composable
    values: Values = field(default_factory=dict)

    def __and__(self, other: Condition) -> Condition:
        return Condition(sql.SQL("{} AND {}").format(self.clause, other.clause), self.values | other.values)


def seen(rights: Rights) -> Condition:
    """Rows that these rights see; no condition if they see everything."""
    if rights.all_roots:
        return Condition(sql.SQL("true"))
    ways = {by_root("m.storage_root"): rights.roots, by_library("m.library"): rights.libraries}
    clauses = [sql.SQL(way) for way, names in ways.items() if names]  # a way without names can match nothing
    if not clauses:
        return Condition(sql.SQL("false"))
    return Condition(sql.SQL("({})").format(sql.SQL(" OR ").join(clauses)), sight(rights))


def filtered(wanted: Search, rights: Rights) -> Condition:
    """Rights and filters: everything but the query."""
    condition = seen(rights)
    for name in wanted.filters:
        condition &= _filter(wanted, name)
    return condition


def by_facts(wanted: Search, rights: Rights) -> Condition:
    """The same, so that the index of words and facts covers as much of it as possible."""
    condition = Condition(sql.SQL("true"))
    if not rights.all_roots:
        names = [f"root={root[:MAX_FACT]}" for root in rights.roots]
        names += [f"library={library[:MAX_FACT]}" for library in rights.libraries]
        condition &= Condition(sql.SQL("m.facts && %(seen)s"), {"seen": sorted(names)})
    for name, value in wanted.filters.items():
        if name in WITHIN:
            these = [f"{kind}={str(value)[:MAX_FACT]}" for kind in WITHIN[name]]
            condition &= Condition(sql.SQL("m.facts && {}").format(sql.Placeholder(name)), {name: these})
        else:
            condition &= _filter(wanted, name)
    return condition


def _filter(wanted: Search, name: str) -> Condition:
    value = getattr(wanted, name)
    if name in COLUMNS:
        return Condition(sql.SQL(COLUMNS[name]), {name: value})
    if name in ONLY_TRUE and not value:
        return Condition(sql.SQL("NOT m.facts @> {}").format(sql.Placeholder(name)), {name: [fact(name, True)]})
    return Condition(sql.SQL("m.facts @> {}").format(sql.Placeholder(name)), {name: [fact(name, value)]})


def there(wanted: Search, filters: Condition) -> Condition:
    """Filters, for items that are not deleted."""
    hidden: LiteralString = " AND m.belongs_to IS NULL" if wanted.parts_hidden else ""
    return Condition(sql.SQL("m.deleted_at IS NULL" + hidden)) & filters


def matching(terms: Terms, near: NearWords) -> Condition:
    """Rows that match the query. `near`: words that are accepted in place of one of its words."""
    condition = Condition(sql.SQL("true"))
    for n, word in enumerate(terms.words):
        values = {f"word_{n}": pattern(word)}
        ways = [sql.SQL("m.words LIKE {}").format(sql.Placeholder(f"word_{n}"))]
        for k, other in enumerate(near.get(word, ())):
            values[f"near_{n}_{k}"] = f"% {other} %"
            way: LiteralString = "m.words LIKE {}"
            if len(other) >= LONG:
                values |= {f"near_{n}_{k}": f"%{other}%", f"whole_{n}_{k}": f" {other} "}
                way = "(m.words LIKE {} AND strpos(m.words, {}) > 0)"
            names = [sql.Placeholder(f"{kind}_{n}_{k}") for kind in ("near", "whole")]
            ways.append(sql.SQL(way).format(*names))
        condition &= Condition(sql.SQL("({})").format(sql.SQL(" OR ").join(ways)), values)
    if terms.signs:
        condition &= Condition(sql.SQL("m.signs @> %(signs)s"), {"signs": [*terms.signs]})
    return condition


def begins(terms: Terms) -> Condition:
    """Titles that begin with the whole query."""
    return Condition(sql.SQL("left(m.title_words, 100) LIKE %(begins)s"), {"begins": f" {terms.phrase}%"})


def begins_not(terms: Terms) -> Condition:
    """All other titles."""
    beginning = begins(terms)
    return Condition(sql.SQL("NOT {}").format(beginning.clause), beginning.values)


def rank(terms: Terms) -> Condition:
    """How well a matching item matches, from 0 (its title is the query) to 7 (by near words only)."""
    values: Values = {"whole": f" {terms.phrase} ", "begins": f" {terms.phrase}%"}

    def each(column: LiteralString, kind: str, form: str | None = None) -> sql.Composable:
        tests: list[sql.Composable] = []
        for n, word in enumerate(terms.words):
            values[f"{kind}_{n}"] = pattern(word) if form is None else form.format(word)
            tests.append(sql.SQL(column + " LIKE {}").format(sql.Placeholder(f"{kind}_{n}")))
        return sql.SQL("({})").format(sql.SQL(" AND ").join(tests))

    clause = sql.SQL(_RANK).format(
        exact=each("m.words", "part"),
        whole=sql.Placeholder("whole"),
        begins=sql.Placeholder("begins"),
        title_wholes=each("m.title_words", "full", "% {} %"),
        title_beginnings=each("m.title_words", "from", "% {}%"),
        title_parts=each("m.title_words", "part"),
        wholes=each("m.words", "full", "% {} %"),
    )
    return Condition(clause, values)
