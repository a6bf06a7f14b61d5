"""`python -m tools.terraform test|check|apply`: checks of infra/terraform that take too long for a test run.

test     format, every module and example with mock providers (the suite runs the modules alone)
check    checkov: no finding without a reason beside the resource (`#checkov:skip=ID:reason`)
apply    apply and destroy against moto; prints what that cannot do
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from tools import ROOT
from tools.terraform import FOLDER, moto
from tools.terraform.isolated import program
from tools.terraform.provider import Missing, find
from tools.terraform.workspace import Workspace, prepare


def test(workspace: Workspace) -> int:
    """All of Terraform's own tests; the exit code."""
    formatted = workspace.run("fmt", "-check", "-recursive")
    workspace.run("get", "-no-color")
    tested = workspace.run("test", "-no-color")
    print(formatted.stdout + tested.stdout + tested.stderr)
    return formatted.returncode or tested.returncode


def check(_workspace: Workspace) -> int:
    """checkov over modules and examples; the exit code."""
    command = [str(program("checkov", "checkov")), "--directory", str(ROOT / FOLDER), "--framework", "terraform"]
    command += ["--skip-path", "tests", "--skip-path", "case-"]
    ran = subprocess.run([*command, "--output", "json", "--quiet"], capture_output=True, text=True, check=False)
    result = json.loads(ran.stdout)
    for finding in result["results"]["failed_checks"]:
        where = f"{finding['file_path'].lstrip('/')}:{finding['file_line_range'][0]}"
        print(f"{finding['check_id']} {where} {finding['resource']}: {finding['check_name']}")
    print(json.dumps(result["summary"]))
    return int(bool(result["summary"]["failed"] or result["summary"]["parsing_errors"]))


def apply(workspace: Workspace) -> int:
    """Every case against moto; 1 if one that moto supports completely was not created, as planned and destroyed."""
    outcomes = moto.apply_all(workspace)
    for name, outcome in outcomes.items():
        print(f"{name}: {outcome.made} resources made" + ("" if outcome.refused else ", as planned, destroyed"))
        for step, lines in outcome.refused.items():
            print(f"  {step}:", *dict.fromkeys(lines), sep="\n    ")
    return int(any(outcome.refused for name, outcome in outcomes.items() if name not in moto.IN_PART))


COMMANDS = {"test": test, "check": check, "apply": apply}


def main(arguments: list[str]) -> int:
    """The exit code; 2 for an unknown command, 3 if something is missing on this machine."""
    if len(arguments) != 1 or arguments[0] not in COMMANDS:
        print(__doc__, file=sys.stderr)
        return 2
    found = find()
    if isinstance(found, Missing):
        print(found, file=sys.stderr)
        return 3
    with tempfile.TemporaryDirectory(prefix="catalogizer-terraform-") as folder:
        return COMMANDS[arguments[0]](prepare(found, Path(folder)))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
