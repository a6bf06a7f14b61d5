"""Errors of the tools.

ToolError
├── NoMarkers          a document lacks the markers of a table
├── UnknownLicence     the licence of an installed package is not known
├── TwoSchemas         one name stands for two JSON Schemas
├── BadWheel           a built wheel is incomplete or does not work
├── PagesNotBuilt      the pages could not be built from their sources
├── UnreadableLock     a lock file does not have its writer's format
├── BadImage           the container image breaks a rule
├── NoRegistry         no registry resolves the name of an image (retryable)
├── NoHelm             there is no Helm, or it rejects the chart
├── BadChart           a rendered manifest breaks a rule
└── PrometheusMissing  there is no Prometheus on this machine
"""

from __future__ import annotations


class ToolError(Exception):
    """Base of these errors; its text is one line for the person who ran the tool."""

    retryable = False


class NoMarkers(ToolError):
    """A document lacks the markers of a table: `page`, `table`."""

    def __init__(self, page: str, table: str) -> None:
        self.page = page
        self.table = table
        super().__init__(f"{page} has no `<!-- {table}: begin … -->` and `<!-- {table}: end -->`")


class UnknownLicence(ToolError):
    """`name` is used and its licence is not known."""

    def __init__(self, name: str, why: str) -> None:
        self.name = name
        super().__init__(f"the licence of {name} is not known: {why}")


class TwoSchemas(ToolError):
    """Two types have the same name: `name`."""

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(f"two types are called {name}: the AsyncAPI document needs a name for each")


class BadWheel(ToolError):
    """The wheel was built and is not usable: `wheel`, `why`."""

    def __init__(self, wheel: str, why: str) -> None:
        self.wheel = wheel
        self.why = why
        super().__init__(f"{wheel}: {why}")


class PagesNotBuilt(ToolError):
    """The pages could not be built; `why`: the tool's output."""

    def __init__(self, why: str) -> None:
        self.why = why
        super().__init__(f"the pages were not built: {why}")


class UnreadableLock(ToolError):
    """`lock` does not have its writer's format: `why`."""

    def __init__(self, lock: str, why: str) -> None:
        self.lock = lock
        self.why = why
        super().__init__(f"{lock}: {why}")


class BadImage(ToolError):
    """The image cannot be built, or breaks rules: `findings`, one a line."""

    def __init__(self, *findings: str) -> None:
        self.findings = findings
        super().__init__("\n".join(f"the image: {finding}" for finding in findings))


class NoRegistry(ToolError):
    """`image` cannot be resolved: `why`."""

    retryable = True

    def __init__(self, image: str, why: str) -> None:
        self.image = image
        self.why = why
        super().__init__(f"{image}: no registry answers: {why}")


class NoHelm(ToolError):
    """There is no Helm, or it rejects the chart: `why`."""

    def __init__(self, why: str) -> None:
        self.why = why
        super().__init__(f"the chart cannot be rendered: {why}")


class BadChart(ToolError):
    """A rendered manifest breaks rules: `findings`, one a line."""

    def __init__(self, *findings: str) -> None:
        self.findings = findings
        super().__init__("\n".join(f"the chart: {finding}" for finding in findings))


class PrometheusMissing(ToolError):
    """There is no Prometheus in the path."""

    def __init__(self) -> None:
        super().__init__("there is no `prometheus` in PATH (Debian's package is prometheus)")
