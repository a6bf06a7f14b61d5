output "arn" {
  description = "The task definition, with its revision."
  value       = aws_ecs_task_definition.this.arn
}

output "container_name" {
  description = "Name of its container."
  value       = var.name
}

output "container" {
  description = "The container as data, which ECS gets as JSON."
  value       = local.container
}

output "log_group_name" {
  description = "Its log group."
  value       = aws_cloudwatch_log_group.this.name
}
