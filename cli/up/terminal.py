"""Ctrl-C under `make run` ends the platform and nothing else, so that make can tell how it ended.

Make dies of the Ctrl-C that its child answers by ending cleanly. So, where we run in somebody else's foreground
process group, we make one of our own and take the terminal for as long as we run, as a shell does for its jobs.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress


@contextmanager
def own_terminal() -> Iterator[None]:
    """Be the foreground of the terminal, if there is one and another program's group is it now."""
    before = os.getpgrp()
    if before == os.getpid() or not sys.stdin.isatty() or os.tcgetpgrp(sys.stdin.fileno()) != before:
        yield
        return
    # Who takes the terminal from the background would be stopped for it; and a Ctrl-Z would stop us alone while
    # whoever waits for us, and so the shell, noticed nothing.
    handlers = [(number, signal.signal(number, signal.SIG_IGN)) for number in (signal.SIGTTOU, signal.SIGTSTP)]
    os.setpgid(0, 0)
    os.tcsetpgrp(sys.stdin.fileno(), os.getpid())
    try:
        yield
    finally:
        with suppress(OSError):  # whoever had it may have gone, and its group with it
            os.tcsetpgrp(sys.stdin.fileno(), before)
        for number, handler in handlers:
            signal.signal(number, handler)
