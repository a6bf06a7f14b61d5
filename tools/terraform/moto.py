"""Apply and destroy against moto, a server that simulates AWS: the real provider with the real plan, down to requests.

What moto does not support is listed by name, so that it is known what has never been applied; everything else must be
created, must match the plan afterwards, and must be gone in the end.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tools.terraform.isolated import program
from tools.terraform.workspace import Workspace

SERVICES = (
    "acm", "applicationautoscaling", "cloudwatch", "ec2", "ecs", "elbv2", "fsx", "iam", "kafka", "kms", "logs", "rds",
    "secretsmanager", "sns", "ssm", "sts", "wafv2",
)  # fmt: skip
IN_PART = ("all but MSK", "MSK")
"""Cases that moto supports only in part: it has no certificates that were not imported, no tags of scaling targets, without
which a destroy does not begin, and no configurations of MSK."""

START_SECONDS = 60.0
WORDS = ("Error:", "  # ", "  with ")

CASES: dict[str, str] = {
    "network": '''
module "it" {
  source = "./modules/network"
  name   = "media"
  zones  = ["eu-central-1a", "eu-central-1b", "eu-central-1c"]
}
''',
    "secrets": '''
module "it" {
  source        = "./modules/secrets"
  name          = "media"
  components    = ["watch", "operator"]
  recovery_days = 0
}
''',
    "iam": '''
module "table" {
  source = "./modules/topics-and-acls"
  name   = "media"
}
module "it" {
  source              = "./modules/iam"
  name                = "media"
  kms_key_arn         = "arn:aws:kms:eu-central-1:123456789012:key/k"
  kafka_cluster_arn   = "arn:aws:kafka:eu-central-1:123456789012:cluster/media/5cbd1a5e-0000-4000-8000-123456789012-2"
  kafka_policies      = true
  kafka_rights        = module.table.rights
  analyst_topics      = ["catalog.fs.changes.v1"]
  make_bootstrap_role = true
  secret_arns         = { watch = ["arn:aws:secretsmanager:eu-central-1:123456789012:secret:w"], bootstrap = [] }
  log_group_arns      = {}
}
''',
    "task": '''
module "it" {
  source             = "./modules/task"
  name               = "stream"
  installation       = "media"
  image              = "registry.example/catalogizer:1"
  command            = ["stream"]
  execution_role_arn = "arn:aws:iam::123456789012:role/e"
  task_role_arn      = "arn:aws:iam::123456789012:role/t"
  kms_key_arn        = "arn:aws:kms:eu-central-1:123456789012:key/k"
}
''',
    "observability": '''
module "it" {
  source             = "./modules/observability"
  name               = "media"
  kms_key_arn        = "arn:aws:kms:eu-central-1:123456789012:key/k"
  kafka_cluster_name = "media"
  database_id        = "media"
  lag_metrics        = { stream = [{ namespace = "AWS/Kafka", name = "EstimatedMaxTimeLag", dimensions = { Topic = "a" } }] }
}
''',
    "all but MSK": '''
module "it" {
  source               = "."
  name                 = "media"
  image                = "registry.example/catalogizer:1"
  public_url           = "https://media.example"
  certificate_arn      = "arn:aws:acm:eu-central-1:123456789012:certificate/c"
  network              = { zones = ["eu-central-1a", "eu-central-1b", "eu-central-1c"] }
  kafka                = { existing = { bootstrap_servers = "kafka.example:9094" } }
  deletion_protection  = false
  secret_recovery_days = 0
  database             = { skip_final_snapshot = true }
}
''',
    "MSK": '''
module "it" {
  source             = "./modules/kafka"
  name               = "media"
  vpc_id             = "vpc-1"
  private_subnet_ids = ["subnet-a", "subnet-b", "subnet-c"]
  kms_key_arn        = "arn:aws:kms:eu-central-1:123456789012:key/k"
}
''',
}  # fmt: skip


@dataclass(slots=True)
class Outcome:
    """The outcome of one case. `made`: number of created resources; `refused`: the error lines, by step."""

    made: int = 0
    refused: dict[str, list[str]] = field(default_factory=dict)


def apply_all(workspace: Workspace) -> dict[str, Outcome]:
    """Every case, one after the other, each on a new server."""
    return {name: _apply(workspace, name, text) for name, text in CASES.items()}


def _apply(workspace: Workspace, name: str, text: str) -> Outcome:
    folder = workspace.folder / f"case-{name.replace(' ', '-')}"
    folder.mkdir()
    with _server() as url:
        (folder / "main.tf").write_text(
            _provider(url) + text.replace('"./modules', '"../modules').replace('"."', '"../"')
        )
        outcome = Outcome()
        for step, arguments in (
            ("get", ("get",)),
            ("apply", ("apply", "-auto-approve")),
            ("look again", ("plan", "-detailed-exitcode")),
            ("destroy", ("destroy", "-auto-approve")),
        ):
            if step == "look again" and outcome.refused:
                continue  # it would list everything that was not created
            ran = workspace.run(*arguments, "-no-color", below=folder.name)
            if step == "apply":
                outcome.made = _count(folder)
            if ran.returncode:
                output = ran.stderr + (ran.stdout if step == "look again" else "")
                outcome.refused[step] = [line for line in output.splitlines() if line.startswith(WORDS)]
        if left := _count(folder):
            outcome.refused.setdefault("destroy", []).append(f"{left} resources are left")
        return outcome


def _count(folder: Path) -> int:
    state = folder / "terraform.tfstate"
    if not state.exists():
        return 0
    found = json.loads(state.read_text())["resources"]
    return sum(len(resource["instances"]) for resource in found if resource["mode"] == "managed")


@contextlib.contextmanager
def _server() -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = subprocess.Popen(
        [str(program("moto", "moto_server")), "--host", "127.0.0.1", "--port", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=os.environ | {"MOTO_IAM_LOAD_MANAGED_POLICIES": "true"},
    )
    try:
        _wait(url := f"http://127.0.0.1:{port}")
        yield url
    finally:
        server.terminate()
        server.wait(timeout=10)


def _wait(url: str) -> None:
    """Raises TimeoutError."""
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until:
        try:
            urllib.request.urlopen(f"{url}/moto-api/", timeout=2).close()
            return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    raise TimeoutError("moto did not start")


def _provider(url: str) -> str:
    endpoints = "\n".join(f'    {service} = "{url}"' for service in SERVICES)
    return f"""
provider "aws" {{
  region                      = "eu-central-1"
  access_key                  = "a"
  secret_key                  = "b"
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_requesting_account_id  = true
  max_retries                 = 3

  endpoints {{
{endpoints}
  }}
}}
"""
