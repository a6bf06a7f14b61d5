"""`catalogizer unit`: a systemd unit that starts the platform at boot, from this installation, with this state folder.

It is printed, not installed: the administrator decides where to put it.
"""

from __future__ import annotations

import os
import pwd
import sys
from pathlib import Path
from typing import Annotated

import typer

from cli.console import print_json
from cli.options import AsJson

STOP_SECONDS = 20
"""`up` ends within ten."""
OPEN_FILES = 65_536
"""The log's segments, a socket for each browser, a watch for each root."""
_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "%": "%%"}

_HARDENED = (
    "NoNewPrivileges=yes",
    "LockPersonality=yes",
    "RestrictRealtime=yes",
    "RestrictSUIDSGID=yes",
    "RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK",
)
"""Without MemoryDenyWriteExecute, because Java compiles at run time; without ProtectHome and PrivateTmp, because media may
be there."""
_HARDENED_SYSTEM = (
    "PrivateDevices=yes",
    "ProtectClock=yes",
    "ProtectHostname=yes",
    "ProtectKernelLogs=yes",
    "ProtectKernelModules=yes",
    "ProtectKernelTunables=yes",
)
"""These options need a service manager that runs as root."""


def unit(
    user: Annotated[
        bool,
        typer.Option(
            "--user/--system", help="For your own systemd (default for users), or the machine's (for root)."
        ),
    ] = os.geteuid() != 0,
    as_json: AsJson = False,
) -> None:
    """Print a systemd unit that runs `catalogizer up` at boot.

    Settings go into the environment file that it names, for example CATALOGIZER_GATEWAY__HOST=0.0.0.0.

    \b
    catalogizer unit --user > ~/.config/systemd/user/catalogizer.service && systemctl --user enable --now catalogizer
    catalogizer unit --system | sudo tee /etc/systemd/system/catalogizer.service
    """
    from cli.settings import Settings
    from runtime.configuration import load

    state_dir = load(Settings).state_dir.absolute()
    owner = None if user or os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
    text = unit_text(
        python=Path(sys.executable),
        checkout=Path(__file__).parents[1],
        state_dir=state_dir,
        user=user,
        owner=owner,
    )
    if as_json:
        print_json({"unit": text})
    else:
        print(text, end="")


def unit_text(*, python: Path, checkout: Path, state_dir: Path, user: bool, owner: str | None) -> str:
    """The unit's text; all paths absolute. `user`: for a user's service manager; `owner`: the user under whom the system
    manager runs it, None for root."""
    unit = ["Description=Catalogizer: every change of a media library", f"RequiresMountsFor={quoted(state_dir)}"]
    if not user:
        unit += ["Wants=network-online.target", "After=network-online.target"]
    service = [
        "Type=exec",
        *([f"User={owner}"] if owner is not None else []),
        f"Environment={quoted(f'CATALOGIZER_STATE_DIR={state_dir}')} {quoted(f'PYTHONPATH={checkout}')}",
        "EnvironmentFile=-%E/catalogizer/environment",
        # via env, because systemd parses the first word by special rules
        f"ExecStart=/usr/bin/env {argument(python)} -P -m cli.main up",
        "Restart=on-failure",
        "RestartSec=5",
        "RestartPreventExitStatus=2",  # a wrong setting stays wrong
        "KillMode=mixed",  # the supervisor ends the others in order
        f"TimeoutStopSec={STOP_SECONDS}",
        f"LimitNOFILE={OPEN_FILES}",
        "UMask=0077",
        *_HARDENED,
    ]
    if not user:
        # root makes the system user of PostgreSQL in /etc at the first start
        service += [*_HARDENED_SYSTEM, f"ProtectSystem={'yes' if owner is None else 'full'}"]
    install = [f"WantedBy={'default' if user else 'multi-user'}.target"]
    sections = (("Unit", unit), ("Service", service), ("Install", install))
    return "\n".join("\n".join((f"[{name}]", *lines, "")) for name, lines in sections)


def quoted(text: str | Path) -> str:
    """Any text, quoted as one word of a setting."""
    return '"' + "".join(_ESCAPES.get(character, character) for character in str(text)) + '"'


def argument(text: str | Path) -> str:
    """Any text, quoted as one word of a command line, where variables would be expanded too."""
    return quoted(text).replace("$", "$$")
