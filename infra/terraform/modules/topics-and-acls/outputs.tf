output "topics" {
  description = "Every topic as `catalogizer topics apply` makes it: partitions, replication_factor, config."
  value       = local.topics
}

output "acls" {
  description = "Every permission as `catalogizer topics acls --apply` adds it."
  value       = local.acls
}

output "rights" {
  description = "The same by component, for policies of IAM: reads, writes, groups, transactions, and what is only described: describes, describes_groups. A dot at the end of a group or id: all with that prefix."
  value       = local.components
}

output "components" {
  description = "Principals in Kafka: the components and the operator."
  value       = toset(concat(keys(local.components), [trimprefix(local.rights.operator, "catalogizer-")]))
}

output "lag" {
  description = "The group and the topics whose lag is a component's lag."
  value       = local.lag
}

output "operator_acls" {
  description = "Arguments of kafka-acls.sh --add that give the operator its permissions; run once, one call for each, by an administrator who signs in by IAM."
  value       = [for arguments in local.bootstrap : "--allow-principal ${local.operator} ${arguments}"]
}
