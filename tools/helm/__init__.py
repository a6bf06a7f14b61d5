"""Checks of the Helm chart (`infra/helm/catalogizer`): finds Helm, renders the chart, checks the result (`judging`, pure).

`python -m tools.helm` lints the chart, renders it with each values file in its folder `ci`, and validates the result with
Kubernetes' own schemas. No cluster is contacted.
"""
