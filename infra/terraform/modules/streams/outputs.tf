output "service_name" {
  description = "The service."
  value       = aws_ecs_service.this.name
}

output "container" {
  description = "Its container as data: command, environment, secrets."
  value       = module.task.container
}

output "log_group_name" {
  description = "Where it logs."
  value       = module.task.log_group_name
}

output "scaled" {
  description = "Whether lag decides how many stream workers there are."
  value       = module.scaling.scaled
}
