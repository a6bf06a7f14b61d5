"""`catalogizer demo`: the demo library in a folder of one's own, for installations that `catalogizer up` does not make."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cli.console import print_json
from cli.options import AsJson

BEGUN = ".begun"
"""Written before anything else: what stands in the folder beside it is ours, and may be made anew."""


def demo(
    folder: Annotated[Path, typer.Argument(help="An empty folder; made where it is not there.")],
    as_json: AsJson = False,
) -> None:
    """Make the demo library: some thirty invented works as real files, in two roots, movies and music.

    Again in the same folder it does nothing, whatever has become of the files.

    \b
    catalogizer demo /srv/media
    """
    from cli.errors import BadArgument
    from cli.up.demo import library
    from cli.up.state import DEMO_MARKER, DEMO_ROOTS

    new = not (folder / DEMO_MARKER).exists()
    try:
        if new:
            folder.mkdir(parents=True, exist_ok=True)
            if not (folder / BEGUN).exists() and any(folder.iterdir()):
                raise BadArgument("FOLDER", f"{folder} is not empty, and what is in it is not the demo library")
            (folder / BEGUN).touch()
            library.make(folder)
    except OSError as error:
        raise BadArgument("FOLDER", str(error)) from error
    roots = {name: str(folder / name) for name in DEMO_ROOTS}
    if as_json:
        print_json({"made": new, "roots": roots})
    else:
        print("\n".join(f"{name}\t{path}" for name, path in roots.items()))
