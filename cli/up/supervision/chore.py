"""A program that is run once in the background, for which nobody waits and which matters to nobody if it fails."""

from __future__ import annotations

import asyncio

from cli.up.supervision import program as programs
from cli.up.supervision.guarded import Guarded
from cli.up.supervision.program import Program


async def run_chore(program: Program, guarded: Guarded) -> None:
    """Run it to its end; cancelled, kill it."""
    process = await programs.start_async(program, asyncio.subprocess.DEVNULL)
    guarded.add(process.pid)
    try:
        await process.wait()
    finally:
        programs.sweep(process.pid)
        await process.wait()
        guarded.remove(process.pid)
