"""A copy of infra/terraform in which Terraform runs, so that its files are not left in the checkout."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tools import ROOT
from tools.terraform import FOLDER
from tools.terraform.provider import Found, configuration

SECONDS = 900


@dataclass(frozen=True, slots=True)
class Workspace:
    """`folder`: the copy; `environment`: Terraform's environment variables."""

    found: Found
    folder: Path
    environment: Mapping[str, str]

    def run(self, *arguments: str, below: str = ".") -> subprocess.CompletedProcess[str]:
        """Run Terraform in a folder of the copy, without prompts and without fetching anything."""
        return subprocess.run(
            [str(self.found.terraform), *arguments],
            cwd=self.folder / below,
            env=dict(self.environment),
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )


def prepare(found: Found, folder: Path) -> Workspace:
    """Copy infra/terraform there."""
    shutil.copytree(
        ROOT / FOLDER, folder / "terraform", ignore=shutil.ignore_patterns(".terraform*", "*.tfstate*")
    )
    (folder / "terraformrc").write_text(configuration(found))
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "TF_CLI_CONFIG_FILE": str(folder / "terraformrc"),
        "TF_IN_AUTOMATION": "1",
        "TF_INPUT": "0",
        "CHECKPOINT_DISABLE": "1",
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    return Workspace(found, folder / "terraform", environment)
