output "service_name" {
  description = "The service."
  value       = aws_ecs_service.this.name
}

output "container" {
  description = "The container as data: command, environment, secrets."
  value       = module.task.container
}

output "log_group_name" {
  description = "Its log group."
  value       = module.task.log_group_name
}

output "scaled" {
  description = "Whether the number of stream workers is scaled on lag."
  value       = module.scaling.scaled
}
