"""Ctrl-C on a terminal under make: the platform ends, and make learns that it ended well."""

from __future__ import annotations

import os
import pty
import sys
from pathlib import Path

from tests.support.terminal import read_until

MAKEFILE = """\
run:
\t@{python} -c '{code}'
\t@echo made
"""
CODE = """\
import signal
from cli.up.terminal import own_terminal
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
with own_terminal():
    print("waiting", flush=True)
    signal.sigwait({signal.SIGINT})
"""


def test_make_goes_on_after_a_ctrl_c_that_its_child_took_care_of(tmp_path: Path) -> None:
    (tmp_path / "code.py").write_text(CODE)
    makefile = MAKEFILE.format(python=sys.executable, code=f'exec(open("{tmp_path}/code.py").read())')
    (tmp_path / "Makefile").write_text(makefile)
    pid, terminal = pty.fork()
    if pid == 0:
        os.execvp("make", ["make", "--no-print-directory", "-f", str(tmp_path / "Makefile"), "run"])
    printed = read_until(terminal, b"waiting")
    os.write(terminal, b"\x03")
    printed += read_until(terminal, b"made")
    _, status = os.waitpid(pid, 0)
    os.close(terminal)
    assert os.waitstatus_to_exitcode(status) == 0, printed
