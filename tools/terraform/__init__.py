"""infra/terraform: its generated files, and checks that take too long for a test run.

`python -m tools.terraform test|check|apply` (`__main__`). `table`: topics and rights as JSON, from `schemas`. `pages`: the
tables of the READMEs. `provider`: finds the AWS provider on this machine. `isolated`: tools that are no dependencies of the
project, each from its own lock file. `moto`: apply and destroy against a server that simulates AWS.
"""

from pathlib import Path

FOLDER = Path("infra/terraform")
"""Relative to the project's folder."""
