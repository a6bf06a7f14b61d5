"""`catalogizer fold`: shows the rules by which the log is folded, and adopts others."""

from __future__ import annotations

from collections import Counter
from contextlib import aclosing
from typing import TYPE_CHECKING, Annotated

import typer

from cli.console import print_json, print_note, print_table, run_async
from cli.errors import NotConfirmed
from cli.options import AsJson, Execute

if TYPE_CHECKING:
    from runtime.kafka import Kafka

app = typer.Typer(
    no_args_is_help=True, help="The rules by which the log is folded: see them, compare them, adopt them."
)

Version = Annotated[
    int | None, typer.Argument(metavar="[VERSION]", help="Of the rules; the newest if none is given.")
]


@app.command("versions")
def versions_command(as_json: AsJson = False) -> None:
    """Show the rules that this program contains, and those by which each lane is folded.

    \b
    catalogizer fold versions
    """
    from cli.adopting import lanes, versions

    kafka = _kafka()
    carried, found = versions(), run_async(lambda: lanes(kafka))
    if as_json:
        print_json({"carried": carried, "lanes": found})
        return
    rows = [(str(line.version), line.digest, "newest" if line.newest else "") for line in carried]
    print_table("Rules of this program", ("version", "digest", ""), rows)
    print_table(
        "Lanes", ("lane", "version", "program", "next offset"),
        [(str(n.lane), str(n.version), n.program, "" if n.next_offset is None else str(n.next_offset)) for n in found],
    )  # fmt: skip


@app.command("diff")
def diff_command(version: Version = None, as_json: AsJson = False) -> None:
    """Show each item for which other rules give another result. Changes nothing; reads the log up to the fold's position.

    \b
    catalogizer fold diff
    catalogizer fold diff 2 --json | jq -r '[.path, .fields.title[1]] | @tsv'
    """
    from cli.adopting import check, differences, lanes
    from cli.progress import Stages
    from streams.core.rules import NEWEST

    kafka, wanted = _kafka(), version or NEWEST
    check(wanted, run_async(lambda: lanes(kafka)))

    async def show() -> int:
        count = 0
        async with aclosing(differences(kafka, wanted, Stages(hidden=as_json))) as found:
            async for one in found:
                count += 1
                if as_json:
                    print_json(one)
                    continue
                changed = "; ".join(f"{name}: {old!r} becomes {new!r}" for name, (old, new) in one.fields.items())
                print(f"{one.root}/{one.path}: {changed}")
        return count

    count = run_async(show)
    if not as_json:
        print(f"{count} items differ by version {wanted}")


@app.command("adopt")
def adopt_command(
    version: Version = None,
    execute: Execute = False,
    wait: Annotated[float, typer.Option(min=0, metavar="SECONDS", help="How long to wait for the lanes.")] = 30.0,
    as_json: AsJson = False,
) -> None:
    """Fold by newer rules from now on. Each item for which they give another result is published once; ids stay.

    A record in the change log marks from where on they apply, so that a replay gives the same result. First update every
    stream worker to a program that contains them. Rules are never reverted: newer ones are adopted instead. Without
    --execute only what would change is shown.

    \b
    catalogizer fold adopt
    catalogizer fold adopt --execute
    """
    from cli.adopting import adopt, adopted, check, differences, lanes
    from cli.progress import Stages
    from streams.core.rules import NEWEST

    kafka, wanted = _kafka(), version or NEWEST
    which = check(wanted, run_async(lambda: lanes(kafka)))

    async def count() -> Counter[str]:
        found: Counter[str] = Counter()
        async with aclosing(differences(kafka, wanted, Stages(hidden=as_json))) as each:
            async for one in each:
                found[one.library] += 1
        return found

    if not execute:
        libraries = run_async(count) if which else Counter()
        if as_json:
            print_json({"version": wanted, "lanes": [line.lane for line in which], "items": dict(libraries)})
            return
        if not which:
            print(f"all lanes use version {wanted}: there is nothing to adopt")
            return
        for library, items in sorted(libraries.items()):
            print(f"library {library}: {items} items differ by version {wanted}")
        items = sum(libraries.values())
        print(f"{len(which)} lanes would adopt version {wanted}, {items} items be published; --execute does it")
        return
    if which:
        run_async(lambda: adopt(kafka, wanted, which))
        if not as_json:
            print_note(f"written into {len(which)} lanes; waiting up to {wait:g} s for them")
    late = run_async(lambda: adopted(kafka, wanted, which, wait))
    if late:
        numbers = ", ".join(str(line.lane) for line in late)
        raise NotConfirmed(
            f"the record is in the log, but lanes {numbers} have not adopted it within {wait:g} s: they do when a"
            " `catalogizer stream` that contains this version runs"
        )
    if as_json:
        print_json({"version": wanted, "lanes": [line.lane for line in which]})
    else:
        print(f"{len(which)} lanes have adopted version {wanted}" if which else f"all lanes use version {wanted}")


def _kafka() -> Kafka:
    from cli.installation import find, tool_kafka

    return tool_kafka(find(), "fold")
