"""When a terminal closes, the processes that were started on it end cleanly, and nothing keeps running unnoticed.

The kernel sends SIGHUP only to the leader of the terminal's session; when that leader exits, the foreground group gets it
too. But the leader may keep running (make waits for its child), and a process that the terminal does not control (`su -c`,
`setsid`) gets no signal at all. So the terminal itself is polled, and its hang-up is turned into the missing SIGHUP. A
process can opt out as usual: with `nohup`, or in the background (`&` and `disown`) of its controlling terminal.
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
"""How often the terminal's foreground group is checked; a hang-up itself is noticed at once."""
_STANDARD = (0, 1, 2)


@contextmanager
def noticed() -> Iterator[None]:
    """Within this block, the hang-up of a terminal among the standard streams sends SIGHUP to this process once, unless
    SIGHUP is ignored."""
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
        polled.register(descriptor, 0)  # poll always reports a hang-up
    polled.register(waking, 0)
    ours = {descriptor: _ours(descriptor, True) for descriptor in terminals}
    while True:
        ready = [descriptor for descriptor, _ in polled.poll(LOOK_SECONDS * 1000)]
        if waking in ready:
            return
        if any(ours[descriptor] for descriptor in ready):
            os.kill(os.getpid(), signal.SIGHUP)
            return
        for descriptor in ready:
            polled.unregister(descriptor)
            del ours[descriptor]
        ours = {descriptor: _ours(descriptor, before) for descriptor, before in ours.items()}


def _ours(terminal: int, before: bool) -> bool:
    """False while we are in the background of our controlling terminal; `before` once it is closed."""
    try:
        return os.tcgetpgrp(terminal) == os.getpgrp()
    except OSError as error:
        return error.errno == errno.ENOTTY or before
