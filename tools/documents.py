"""The tables in documents that are generated from code: settings, channels, places, close codes.

Each is between its two markers, `<!-- NAME: begin … -->` and `<!-- NAME: end -->`; the rest of a document is written by
hand.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from cli.config_values import shown_value
from cli.settings import Settings
from gateway.access.oidc.provider_settings import Grant, ProviderSettings
from runtime.configuration import Section, variables
from schemas.channels import CHANNELS
from schemas.close_codes import CLOSE_CODES
from schemas.place_forms import TABLE as PLACES
from tools.bounds import BOUNDS
from tools.errors import NoMarkers
from tools.metrics import METRICS

TABLES: tuple[tuple[str, str], ...] = (
    ("docs/settings.md", "settings"),
    ("docs/settings.md", "providers"),
    ("docs/protocol.md", "channels"),
    ("docs/protocol.md", "places of clients"),
    ("docs/protocol.md", "close codes"),
    ("docs/operations.md", "places of commands"),
    ("docs/operations.md", "metrics"),
    ("docs/security.md", "bounds"),
)


def settings_table() -> Iterator[str]:
    """Every setting: variable, type and bounds, default, meaning."""
    yield "| environment variable | value | default | meaning |"
    yield "|---|---|---|---|"
    for variable, field in variables(Settings).items():
        cells = (f"`{variable}`", _kind(field), _default(field), field.description or "")
        yield _row(cells)


def providers_table() -> Iterator[str]:
    """The keys of an entry of `CATALOGIZER_GATEWAY__OIDC`, and of an entry of its `mapping`."""
    yield "| key | value | default | meaning |"
    yield "|---|---|---|---|"
    for prefix, section in (("", ProviderSettings), ("mapping.*.", Grant)):
        for name, field in section.model_fields.items():
            yield _row((f"`{prefix}{name}`", _kind(field), _default(field), field.description or ""))


def channels_table() -> Iterator[str]:
    """Every channel: the type of its events, the topic that feeds it."""
    yield "| channel | events | fed by | |"
    yield "|---|---|---|---|"
    for channel in CHANNELS.values():
        fed = "nothing yet" if channel.topic is None else f"`{channel.topic.name}`"
        note = "delivered to every socket; subscribed to only for replay" if channel.everybody else ""
        yield _row((f"`{channel.name}`", f"`{channel.event}`", fed, note))


def close_codes_table() -> Iterator[str]:
    """Every close code."""
    yield "| code | reason sent | meaning | come back |"
    yield "|---|---|---|---|"
    for code in CLOSE_CODES:
        yield _row((str(code.code), code.reason, code.meaning, "yes" if code.come_back else "no"))


def places_of_clients_table() -> Iterator[str]:
    """Every form of `from` and `until`."""
    yield "| `from` | `until` | |"
    yield "|---|---|---|"
    for form in PLACES:
        if form.json_from or form.json_until:
            yield _row((form.json_from, form.json_until, form.meaning))


def places_of_commands_table() -> Iterator[str]:
    """Every form that `--from`, `--until` and `--to` have."""
    yield "| place | |"
    yield "|---|---|"
    for form in PLACES:
        if form.text:
            yield _row((form.text, form.meaning))


def bounds_table() -> Iterator[str]:
    """Every bound of a connection, from the constants and settings that define it."""
    yield "| of what | bound | beyond it |"
    yield "|---|---|---|"
    for row in BOUNDS:
        yield _row(row)


def metrics_table() -> Iterator[str]:
    """Every metric: its name as it is scraped, type, labels, the processes that have it."""
    yield "| metric | type | labels | process | |"
    yield "|---|---|---|---|---|"
    for metric in METRICS:
        labels = ", ".join(f"`{label}`" for label in metric.labels)
        yield _row((f"`{metric.name}`", metric.kind, labels, metric.process, metric.help))


_MAKERS: dict[str, Callable[[], Iterator[str]]] = {
    "settings": settings_table,
    "providers": providers_table,
    "channels": channels_table,
    "close codes": close_codes_table,
    "places of clients": places_of_clients_table,
    "places of commands": places_of_commands_table,
    "bounds": bounds_table,
    "metrics": metrics_table,
}


def with_table(text: str, page: str, table: str) -> str:
    """The document with its table regenerated. Raises NoMarkers."""
    pattern = re.compile(rf"(<!-- {re.escape(table)}: begin[^>]*-->\n).*?(<!-- {re.escape(table)}: end -->)", re.S)
    if pattern.search(text) is None:
        raise NoMarkers(page, table)
    body = "\n" + "\n".join(_MAKERS[table]()) + "\n\n"
    return pattern.sub(lambda match: match[1] + body + match[2], text)


def files(root: Path) -> dict[Path, str]:
    """Every document with its tables regenerated, relative to the project's folder. Raises NoMarkers."""
    texts: dict[Path, str] = {}
    for page, table in TABLES:
        path = Path(page)
        texts[path] = with_table(texts.get(path) or (root / path).read_text(), page, table)
    return texts


def _row(cells: tuple[str, ...]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _kind(field: FieldInfo) -> str:
    kind = _type_name(field.annotation)
    bounds = ", ".join(_bound(rule) for rule in field.metadata if _bound(rule))
    if kind.startswith("JSON"):
        bounds = bounds.replace("characters", "in it")
    return f"{kind}, {bounds}" if bounds else kind


def _type_name(annotation: Any) -> str:
    origin = get_origin(annotation)
    if origin is Literal:
        return " \\| ".join(f"`{choice}`" for choice in get_args(annotation)).replace("\\|", "or")
    if origin in (Union, UnionType):
        return " or ".join(_type_name(part) for part in get_args(annotation) if part is not NoneType)
    if origin is tuple:
        return "JSON list"
    if origin is dict or (isinstance(annotation, type) and issubclass(annotation, Section)):
        return "JSON object"
    names = {bool: "`true` or `false`", int: "integer", float: "number", SecretStr: "secret", Path: "path"}
    return names.get(annotation, "text")


def _bound(rule: Any) -> str:
    for attribute, sign in (("ge", "≥"), ("gt", ">"), ("le", "≤"), ("lt", "<")):
        if (limit := getattr(rule, attribute, None)) is not None:
            return f"{sign} {limit:,}".replace(",", " ")
    if (shortest := getattr(rule, "min_length", None)) is not None:
        return f"at least {shortest} characters"
    return ""


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "(must be given)"
    value = field.get_default(call_default_factory=False)
    return "" if value is None else f"`{shown_value(value)}`" if shown_value(value) else "empty"
