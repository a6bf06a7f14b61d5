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
    length(local.certificates) == 0 ? {} : { CATALOGIZER_KAFKA__SSL_CERTFILE = "/tmp/kafka.pem" },
    local.token_environment,
  )
}

output "signs_in" {
  description = "Whether clients sign in with user and password, or client id and client secret."
  value       = local.sasl_mechanism != null
}

output "with_tokens" {
  description = "Whether they sign in by OAUTHBEARER."
  value       = local.oauthbearer != null
}

output "files" {
  description = "By user (watch, stream, project, serve, operator) the files of its tasks: secret_files of module task."
  value = { for user in ["watch", "stream", "project", "serve", "operator"] : user => merge(
    local.shared_files,
    { for name, arn in local.certificates : "KAFKA_CERTIFICATE" => { path = "/tmp/kafka.pem", arn = arn } if name == user },
  ) }
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
