# What the log consists of, and who may do what with it. The table is the program's own: `python -m tools.generate`
# writes topics.json and acls.json from schemas/, so nothing is declared twice. This module creates nothing: the program
# creates topics and ACLs, in tasks that run once (the jobs of the root module).

locals {
  table  = jsondecode(file("${path.module}/topics.json"))
  rights = jsondecode(file("${path.module}/acls.json"))

  topics = {
    for name, topic in local.table : "${var.topic_prefix}${name}" => {
      partitions         = topic.partitions == null ? var.lanes : topic.partitions
      replication_factor = var.replication_factor
      config             = topic.config
    }
  }

  components = {
    for component, needs in local.rights.components : component => {
      principal    = needs.principal
      reads        = [for topic in needs.reads : "${var.topic_prefix}${topic}"]
      writes       = [for topic in needs.writes : "${var.topic_prefix}${topic}"]
      groups       = [for group in needs.groups : "${var.topic_prefix}${group}"]
      transactions = [for name in needs.transactions : "${var.topic_prefix}${name}"]

      describes        = [for topic in needs.describes : "${var.topic_prefix}${topic}"]
      describes_groups = [for group in needs.describes_groups : "${var.topic_prefix}${group}"]
    }
  }

  # One entry for each permission, as `catalogizer topics acls --json` prints them. A dot at the end: all with that prefix.
  acls = flatten([
    for component, needs in local.components : [
      for entry in concat(
        [for topic in needs.reads : { resource = "topic", name = topic, operation = "Read" }],
        [for topic in needs.writes : { resource = "topic", name = topic, operation = "Write" }],
        [for group in needs.groups : { resource = "group", name = group, operation = "Read" }],
        [for name in needs.transactions : { resource = "transactional-id", name = name, operation = "Write" }],
        [for topic in needs.describes : { resource = "topic", name = topic, operation = "Describe" }],
        [for group in needs.describes_groups : { resource = "group", name = group, operation = "Describe" }],
        ) : {
        principal = needs.principal
        resource  = entry.resource
        name      = entry.name
        pattern   = endswith(entry.name, ".") ? "prefixed" : "literal"
        operation = entry.operation
      }
    ]
  ])

  # The operator creates topics and permissions, and reads and writes all of the platform's topics. Somebody else must allow
  # it that once, because in a cluster without default permissions nobody else can: an IAM administrator (README, step 2).
  operator = "User:${local.rights.operator}"
  bootstrap = [
    "--operation Alter --operation AlterConfigs --operation Create --operation Describe --operation DescribeConfigs --operation IdempotentWrite --cluster",
    "--operation All --topic ${var.topic_prefix}catalog. --resource-pattern-type prefixed",
    "--operation All --group ${var.topic_prefix}catalogizer. --resource-pattern-type prefixed",
    "--operation All --transactional-id ${var.topic_prefix}catalogizer. --resource-pattern-type prefixed",
  ]

  lag = {
    for component, lagging in local.rights.lag : component => {
      group  = "${var.topic_prefix}${lagging.group}"
      topics = [for topic in lagging.topics : "${var.topic_prefix}${topic}"]
    }
  }
}
