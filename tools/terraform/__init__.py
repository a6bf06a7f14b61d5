"""infra/terraform: what is generated there, and its checks that need more than a test run may cost.

`python -m tools.terraform test|check|apply` (`__main__`). `table`: topics and rights as JSON, from `schemas`. `pages`: the
tables of the READMEs. `provider`: where the AWS provider lies on this machine. `isolated`: tools that are not ours to
depend on, each from its own lock file. `moto`: apply and destroy against a server that plays AWS.
"""

from pathlib import Path

FOLDER = Path("infra/terraform")
"""Relative to the project's folder."""
