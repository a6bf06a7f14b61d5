"""Makes Ctrl-C under `make run` end only the platform, so that make can report its exit code.

Otherwise Ctrl-C would kill make, while its child ends cleanly. So, if we run in another program's foreground process group,
we create our own group and take the terminal for as long as we run, as a shell does for its jobs. A terminal that does not
control us (`su -c`, `setsid`) sends us no Ctrl-C, and is left alone.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress

_STDIN = 0


@contextmanager
def own_terminal() -> Iterator[None]:
    """Become the terminal's foreground group, if there is a terminal and another program leads our group."""
    before = os.getpgrp()
    if before == os.getpid() or _foreground() != before:
        yield
        return
    # Taking the terminal from the background raises SIGTTOU; and a Ctrl-Z would stop only us, unnoticed by the parent
    # that waits for us, and so by the shell.
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
    with suppress(OSError):  # the terminal may have been closed, or its former foreground group may have ended
        os.tcsetpgrp(_STDIN, group)
