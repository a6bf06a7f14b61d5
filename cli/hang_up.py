"""A terminal that closes ends what was started on it, cleanly: nothing runs on unseen.

The kernel says so by SIGHUP, but only to the leader of the terminal's session, whose own end is then told to the
foreground; whoever leads may go on (make waits for its child), and to a process that the terminal does not control
(`su -c`, `setsid`) nobody says anything. So the terminal itself is looked at, and its hang-up becomes the SIGHUP that
was missing. Who wants to be left alone says so as ever: by `nohup`, or by standing in the background (`&` and
`disown`) of the terminal that controls it.
"""

from __future__ import annotations

import errno
import os
import select
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

LOOK_SECONDS = 1.0
"""How often it is looked who has the terminal; a hang-up itself is noticed at once."""
_STANDARD = (0, 1, 2)


@contextmanager
def noticed() -> Iterator[None]:
    """The hang-up of a terminal among the standard streams sends SIGHUP to this process, once, within this block;
    not where SIGHUP is ignored."""
    terminals = [] if ignored() else [os.dup(number) for number in _STANDARD if os.isatty(number)]
    if not terminals:
        yield
        return
    waking, wake = os.pipe()
    watch = threading.Thread(target=_watch, args=(terminals, waking), name="hang-up", daemon=True)
    watch.start()
    try:
        yield
    finally:
        os.close(wake)
        watch.join()
        for descriptor in (*terminals, waking):
            os.close(descriptor)


def ignored() -> bool:
    """True where this process was started to outlive its terminal (`nohup`)."""
    return signal.getsignal(signal.SIGHUP) is signal.SIG_IGN


def _watch(terminals: list[int], waking: int) -> None:
    polled = select.poll()
    for descriptor in terminals:
        polled.register(descriptor, 0)  # a hang-up is told without being asked for
    polled.register(waking, 0)
    ours = {descriptor: _ours(descriptor, True) for descriptor in terminals}
    while True:
        told = [descriptor for descriptor, _ in polled.poll(LOOK_SECONDS * 1000)]
        if waking in told:
            return
        if any(ours[descriptor] for descriptor in told):
            os.kill(os.getpid(), signal.SIGHUP)
            return
        for descriptor in told:
            polled.unregister(descriptor)
            del ours[descriptor]
        ours = {descriptor: _ours(descriptor, before) for descriptor, before in ours.items()}


def _ours(terminal: int, before: bool) -> bool:
    """False while we stand in the background of the terminal that controls us; `before` once it is closed."""
    try:
        return os.tcgetpgrp(terminal) == os.getpgrp()
    except OSError as error:
        return error.errno == errno.ENOTTY or before
