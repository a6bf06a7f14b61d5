"""What can go wrong with a tool.

ToolError
├── NoMarkers       a document lacks the markers of a table
├── UnknownLicence  nobody has stated the licence of something that is installed
├── TwoSchemas      one name stands for two JSON Schemas
├── BadWheel        a built wheel does not do what it must
└── PagesNotBuilt   the pages could not be built from their sources
"""

from __future__ import annotations


class ToolError(Exception):
    """Root of the tree; its text is one line for the person who ran the tool."""

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
    """Two types of one name: `name`."""

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
    """The pages could not be built; `why`: what the tool says."""

    def __init__(self, why: str) -> None:
        self.why = why
        super().__init__(f"the pages were not built: {why}")
