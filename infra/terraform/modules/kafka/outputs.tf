output "bootstrap_servers" {
  description = "Addresses for the platform's processes."
  value       = local.bootstrap_servers
}

output "bootstrap_servers_iam" {
  description = "Addresses for clients that sign in by IAM; null for existing brokers."
  value       = local.create ? aws_msk_cluster.this[0].bootstrap_brokers_sasl_iam : null
}

output "environment" {
  description = "The platform's Kafka settings, without user and password."
  value = merge(
    {
      CATALOGIZER_KAFKA__BOOTSTRAP_SERVERS  = local.bootstrap_servers
      CATALOGIZER_KAFKA__SECURITY_PROTOCOL  = local.security_protocol
      CATALOGIZER_KAFKA__REPLICATION_FACTOR = tostring(local.replication)
    },
    local.sasl_mechanism == null ? {} : { CATALOGIZER_KAFKA__SASL_MECHANISM = local.sasl_mechanism },
    local.ca_file == null ? {} : { CATALOGIZER_KAFKA__SSL_CAFILE = local.ca_file },
  )
}

output "signs_in" {
  description = "Whether clients sign in with user and password."
  value       = local.sasl_mechanism != null
}

output "cluster_arn" {
  description = "The MSK cluster; null if there is none."
  value       = local.create ? aws_msk_cluster.this[0].arn : var.existing.cluster_arn
}

output "cluster_name" {
  description = "Name of the MSK cluster, as in metrics; null if there is none."
  value       = local.create ? aws_msk_cluster.this[0].cluster_name : var.existing.cluster_name
}

output "security_group_id" {
  description = "The brokers' security group; null for existing brokers."
  value       = local.create ? aws_security_group.this[0].id : null
}
