output "environment" {
  description = "The producer's settings, without secrets."
  value       = local.environment
}

output "container" {
  description = "For ecs-ec2: the container as data; else null."
  value       = one([for task in module.task : task.container])
}

output "service_name" {
  description = "For ecs-ec2: the service; else null."
  value       = one([for service in aws_ecs_service.this : service.name])
}

output "manifest" {
  description = "For eks: the manifest, for kubectl apply --filename -; else null."
  value       = one([for documents in local.manifest : join("---\n", [for document in documents : yamlencode(document)])])
}

output "cloud_init" {
  description = "For host: user data for cloud-init; else null."
  value       = var.platform == "host" ? local.cloud_init : null
}

output "secret_files" {
  description = "For host: the files that the operator must create in /etc/catalogizer/secrets (owner 10001, mode 0400) before the unit starts."
  value       = var.platform == "host" ? keys(local.host_files) : []
}
