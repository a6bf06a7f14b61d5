"""Ctrl-C under `make run` ends the platform and nothing else, so that make can tell how it ended.

Make dies of the Ctrl-C that its child answers by ending cleanly. So, where we run in somebody else's foreground
process group, we make one of our own and take the terminal for as long as we run, as a shell does for its jobs.
A terminal that does not control us (`su -c`, `setsid`) sends nobody a Ctrl-C, and is left alone.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress

_STDIN = 0


@contextmanager
def own_terminal() -> Iterator[None]:
    """Be the foreground of the terminal, if there is one and another program's group is it now."""
    before = os.getpgrp()
    if before == os.getpid() or _foreground() != before:
        yield
        return
    # Who takes the terminal from the background would be stopped for it; and a Ctrl-Z would stop us alone while
    # whoever waits for us, and so the shell, noticed nothing.
    handlers = [(number, signal.signal(number, signal.SIG_IGN)) for number in (signal.SIGTTOU, signal.SIGTSTP)]
    os.setpgid(0, 0)
    _give(os.getpid())
    try:
        yield
    finally:
        _give(before)
        for number, handler in handlers:
            signal.signal(number, handler)


def _foreground() -> int | None:
    try:
        return os.tcgetpgrp(_STDIN)
    except OSError:  # no terminal, or not the one that controls us
        return None


def _give(group: int) -> None:
    with suppress(OSError):  # the terminal may have been closed; whoever had it may have gone, its group with it
        os.tcsetpgrp(_STDIN, group)
