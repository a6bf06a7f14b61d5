"""Workloads of ordinary tools over a large real tree, watched by `catalogizer watch` up to Kafka's acknowledgement, and by
three plain watchers that do nothing with the events.

`python -m bench.watching [--only NAME] [--watch HOW] [--runs N] [--baselines N] [--scale F] [--made-up] [--json]` prints a
row for each workload and watcher: what it missed and invented, compared with the disk, and what that cost.
`python -m bench.watching.at_rest` prints what watching costs while nothing happens.

`trees` obtains the tree · `workloads` is the table of what is done to it, `actions` what no ordinary tool does ·
`watchers` are the plain ones, `plain` their programs, and `ours` is the product's process · `changelog` reads its records ·
`judging` compares with the disk · `measuring` reads from the kernel what a process costs · `running` runs the workloads,
`limits` measures what the machine could do at best, `table` prints.
"""
