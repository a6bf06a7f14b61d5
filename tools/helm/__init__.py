"""The Helm chart (`infra/helm/catalogizer`): where Helm is, what it renders, what must be true of that (`judging`, pure).

`python -m tools.helm` lints the chart, renders it with each file of values in its folder `ci`, and validates what comes by
Kubernetes' own schemas. No cluster is asked.
"""
