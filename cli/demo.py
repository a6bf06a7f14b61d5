"""`catalogizer demo`: creates the demo library in a given folder, for installations without `catalogizer up`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cli.console import print_json
from cli.options import AsJson

BEGUN = ".begun"
"""Written before anything else: it marks the folder's other contents as ours, so that they may be recreated."""


def demo(
    folder: Annotated[Path, typer.Argument(help="An empty folder; made where it is not there.")],
    as_json: AsJson = False,
) -> None:
    """Make the demo library: some thirty invented works as real files, in two roots, movies and music.

    Repeated in the same folder it does nothing, whatever was changed there.

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
