"""Alerts: problems that need a person's attention, decided in one place, kept in the log, and delivered to people.

verdict     what the parts of the rules have in common (pure)
rules       what fires and what is resolved, from other records (pure); its parts:
  updates   the verdicts of a system update on a root, a process, a disk
  lags      which readers have been behind for too long
  deletions how much of a root is deleted at once
  letters   which dead letter queues get letters
service     reads the records for the rules, and writes alerts
owner       assigns all partitions to one member of a group, so that it sees everything
records     how an alert is written and read back
delivery    delivers alerts to targets, as a reader of its own
targets     which targets are configured, and which alerts are sent
attempts    what an answer of a target means, and when delivery is retried (pure)
webhook     a target: HTTP
mail        a target: SMTP
"""
