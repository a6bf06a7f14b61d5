"""A program that is run once in the background; nothing waits for it or depends on its success."""

from __future__ import annotations

import asyncio

from cli.up.supervision import program as programs
from cli.up.supervision.guarded import Guarded
from cli.up.supervision.program import Program


async def run_chore(program: Program, guarded: Guarded) -> None:
    """Run it to its end; on cancellation it is killed."""
    process = await programs.start_async(program, asyncio.subprocess.DEVNULL)
    guarded.add(process.pid)
    try:
        await process.wait()
    finally:
        programs.sweep(process.pid)
        await process.wait()
        guarded.remove(process.pid)
