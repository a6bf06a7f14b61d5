"""The tables in the READMEs of modules and examples: inputs, outputs, resources.

They are read from files in the format of `terraform fmt`, in which a block begins and ends in the first column and its
arguments are indented by two: that is enough to find names, types, defaults and descriptions. A test checks the format, so
no other can occur here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tools.errors import NoMarkers
from tools.terraform import FOLDER

_BLOCK = re.compile(r'^(\w+) ((?:"[^"]*" ?)+)\{\n(.*?)^\}$', re.M | re.S)
_ARGUMENT = re.compile(r"^  (\w+) += (.*?)(?=^  \w|^  \}|\Z)", re.M | re.S)
_TABLE = re.compile(r"(<!-- terraform: begin[^>]*-->\n).*?(<!-- terraform: end -->)", re.S)
LONGEST_DEFAULT = 40


@dataclass(frozen=True, slots=True)
class Block:
    """One block of a file: `variable "name"` has kind `variable` and labels `("name",)`."""

    kind: str
    labels: tuple[str, ...]
    arguments: dict[str, str]
    body: str


def blocks(text: str) -> Iterator[Block]:
    """The blocks of a file in canonical format."""
    for kind, labels, body in _BLOCK.findall(text):
        arguments = {name: value.strip() for name, value in _ARGUMENT.findall(body)}
        yield Block(kind, tuple(re.findall(r'"([^"]*)"', labels)), arguments, body)


def blocks_of(folder: Path, *kinds: str) -> list[Block]:
    """The blocks of these kinds in a module."""
    return [
        block for file in sorted(folder.glob("*.tf")) for block in blocks(file.read_text()) if block.kind in kinds
    ]


def folders(root: Path) -> list[Path]:
    """Every folder with a module or an example, the root module first."""
    return sorted({file.parent for file in (root / FOLDER).rglob("versions.tf") if ".terraform" not in file.parts})


def files(root: Path) -> dict[Path, str]:
    """Every README with its tables regenerated, relative to the project's folder. Raises NoMarkers."""
    return {
        (folder / "README.md").relative_to(root): with_tables((folder / "README.md").read_text(), folder)
        for folder in folders(root)
    }


def with_tables(text: str, folder: Path) -> str:
    """A README with its module's tables regenerated. Raises NoMarkers."""
    if _TABLE.search(text) is None:
        raise NoMarkers(str(folder / "README.md"), "terraform")
    body = "\n" + "\n".join(_tables(folder)) + "\n"
    return _TABLE.sub(lambda match: match[1] + body + match[2], text)


def _tables(folder: Path) -> Iterator[str]:
    variables = blocks_of(folder, "variable")
    if variables:
        yield from ("## Inputs", "", "| name | type | default | meaning |", "|---|---|---|---|")
        yield from (_variable(block) for block in sorted(variables, key=_required_first))
        yield ""
    outputs = blocks_of(folder, "output")
    if outputs:
        yield from ("## Outputs", "", "| name | meaning |", "|---|---|")
        yield from (f"| `{block.labels[0]}` | {_description(block)} |" for block in outputs)
        yield ""
    made = sorted({block.labels[0] for block in blocks_of(folder, "resource")})
    used = [f"`{block.labels[0]}` ({_plain(block.arguments['source'])})" for block in blocks_of(folder, "module")]
    if made:
        yield from ("## Resources", "", ", ".join(f"`{kind}`" for kind in made), "")
    if used:
        yield from ("## Modules", "", ", ".join(used), "")


def _required_first(block: Block) -> tuple[bool, str]:
    return "default" in block.arguments, block.labels[0]


def _variable(block: Block) -> str:
    kind = " ".join(block.arguments["type"].split())
    shown = (
        f"`{kind}`"
        if "{" not in kind
        else "`object`"
        if kind.startswith("object")
        else f"`{kind[: kind.index('(')]}` of objects"
    )
    default = " ".join(block.arguments.get("default", "(must be given)").split())
    if default not in ("(must be given)", "null"):
        default = f"`{default}`" if len(default) <= LONGEST_DEFAULT else "see variables.tf"
    return f"| `{block.labels[0]}` | {shown} | {'' if default == 'null' else default} | {_description(block)} |"


def _description(block: Block) -> str:
    return _plain(block.arguments["description"]).replace("|", "\\|")


def _plain(literal: str) -> str:
    return literal.strip('"').replace('\\"', '"')
