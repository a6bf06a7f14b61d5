"""Logging: one line per event, JSON or text, to standard error; secrets are removed, repetitions limited."""

from __future__ import annotations

import logging
import re
import sys
import time
from collections.abc import MutableMapping
from typing import Any

import structlog

from runtime.settings import LogSettings

_SECRET = re.compile(r"((?:token|password|ticket|secret)=)[^&\s\"']+", re.IGNORECASE)
FLOOD_SECONDS = 10.0
"""A library's warning with the same template is logged at most once in this time (an outage causes thousands)."""


class Redact(logging.Filter):
    """Takes the values of `token=`, `password=` and the like out of every message."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Rewrite the record in place where it carries a secret; keep it."""
        message = record.getMessage()
        clean = _SECRET.sub(r"\1[redacted]", message)
        if clean != message:
            record.msg, record.args = clean, None
        return True


class Flood(logging.Filter):
    """Passes a library's warning once per template and FLOOD_SECONDS; the next one reports how many were dropped."""

    def __init__(self) -> None:
        super().__init__()
        self._seen: dict[tuple[str, str], tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """False for a repetition within FLOOD_SECONDS."""
        if not record.name.startswith(("aiokafka", "faust", "mode")) or record.levelno < logging.INFO:
            return True
        key = (record.name, str(record.msg))
        now = time.monotonic()
        last, suppressed = self._seen.get(key, (-FLOOD_SECONDS, 0))
        if now - last < FLOOD_SECONDS:
            self._seen[key] = (last, suppressed + 1)
            return False
        if len(self._seen) > 512:  # bounded: some libraries pass formatted messages
            self._seen.clear()
        self._seen[key] = (now, 0)
        if suppressed:
            record.msg, record.args = f"{record.getMessage()} ({suppressed} more like it)", None
        return True


def configure(settings: LogSettings, component: str) -> None:
    """Set up logging for a process. Every line contains `component`."""
    text = settings.format == "text" or (settings.format == "auto" and sys.stderr.isatty())
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _component(component),
    ]
    renderer: Any = (
        structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty()) if text else structlog.processors.JSONRenderer()
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    final: list[Any] = [structlog.stdlib.ProcessorFormatter.remove_processors_meta]
    if not text:
        final.append(structlog.processors.format_exc_info)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(processors=[*final, renderer], foreign_pre_chain=shared)
    )
    handler.addFilter(Redact())
    handler.addFilter(Flood())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(settings.level)
    logging.getLogger("aiokafka").setLevel(max(logging.WARNING, root.level))
    for library in (
        "smbprotocol",
        "spnego",
    ):  # they log each packet, and each closed connection as a critical error
        logging.getLogger(library).setLevel(logging.CRITICAL)


def _component(component: str) -> Any:
    def add(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        event["component"] = component
        return event

    return add


def bind(**fields: object) -> None:
    """Add fields to every line that this thread or task, and those it starts, log from now on."""
    structlog.contextvars.bind_contextvars(**fields)


def get(name: str) -> structlog.stdlib.BoundLogger:
    """A logger; events are short, and details are fields."""
    logger: structlog.stdlib.BoundLogger = structlog.get_logger(name)
    return logger
