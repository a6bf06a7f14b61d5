output "dns_name" {
  description = "DNS name of the load balancer, of which public_url's host name must be an alias; null until run_processes is true."
  value       = one(module.gateway[*].dns_name)
}

output "zone_id" {
  description = "Hosted zone of the load balancer, for that alias; null until run_processes is true."
  value       = one(module.gateway[*].zone_id)
}

output "run" {
  description = "The command for each task; run them in this order: bootstrap (once), topics-acls, topics, migrate, admin."
  value       = local.run
}

output "operator_acls" {
  description = "Arguments of kafka-acls.sh --add, for an administrator who signs in by IAM if there is no bootstrap task."
  value       = module.topics_and_acls.operator_acls
}

output "bootstrap_servers" {
  description = "Addresses of Kafka for the platform's processes."
  value       = module.kafka.bootstrap_servers
}

output "bootstrap_servers_iam" {
  description = "Addresses of Kafka for clients that sign in by IAM."
  value       = module.kafka.bootstrap_servers_iam
}

output "kafka_policy_arns" {
  description = "Policies for MSK's IAM access: COMPONENT-reads, COMPONENT-writes, analyst, admin."
  value       = module.iam.kafka_policy_arns
}

output "kafka_environment" {
  description = "A producer's Kafka settings, without user and password: for kafka_environment of module producer."
  value       = merge({ for name, value in var.environment : name => value if startswith(name, "CATALOGIZER_KAFKA__") }, module.kafka.environment, { CATALOGIZER_KAFKA__TOPIC_PREFIX = var.topic_prefix, CATALOGIZER_KAFKA__LANES = tostring(var.lanes) })
}

output "watch_secret_arn" {
  description = "The producer's secret for Kafka; null if the brokers require no password."
  value       = module.kafka.signs_in ? module.secrets.arns["kafka/watch"] : null
}

output "watch_file_arns" {
  description = "The producer's secrets for Kafka that it needs as files, by the files' names: kafka_files of secret_arns of module producer."
  value       = { for file in values(module.kafka.files["watch"]) : basename(file.path) => file.arn }
}

output "admin_secret_arn" {
  description = "The secret with the password of user admin."
  value       = module.secrets.arns["admin"]
}

output "watch" {
  description = "What a producer on ECS needs: cluster, roles and security group."
  value = {
    cluster_arn        = aws_ecs_cluster.this.arn
    cluster_name       = aws_ecs_cluster.this.name
    execution_role_arn = module.iam.execution_role_arns["watch"]
    task_role_arn      = module.iam.task_role_arns["watch"]
    security_group_id  = aws_security_group.process["watch"].id
  }
}

output "private_subnet_ids" {
  description = "Subnets of the processes."
  value       = module.network.private_subnet_ids
}

output "kms_key_arn" {
  description = "The platform's key."
  value       = module.secrets.kms_key_arn
}

output "alarm_topic_arn" {
  description = "The SNS topic of the alarms."
  value       = module.observability.topic_arn
}

output "containers" {
  description = "Every container of the platform as data, by task: command, environment, secrets."
  value = merge(
    { for name, job in module.job : name => job.container },
    { for container in module.streams[*].container : "stream" => container },
    { for container in module.projector[*].container : "project" => container },
    { for container in module.gateway[*].container : "serve" => container },
  )
}

output "vpc_id" {
  description = "The network."
  value       = module.network.vpc_id
}
