"""Alerts: what is worth somebody's attention, decided in one place, kept in the log, and brought to people.

trouble     what the rules' parts have in common (pure)
rules       what fires and what is resolved, from the records of others (pure); with it
  updates   what a system update says of a root, a process, a disk
  lags      who has been behind for too long
  deletions how much of a root is deleted at once
  letters   which dead letter queues get letters
service     reads what the rules decide from, and writes alerts
owner       all partitions to one member of a group: who decides sees everything
telling     how an alert is written and read back
delivery    alerts to targets: a reader of its own
targets     which targets the settings name, and which alerts they want
attempts    what an answer of a target means, and when it is asked again (pure)
webhook     a target: HTTP
mail        a target: SMTP
"""
