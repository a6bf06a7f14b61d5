output "dns_name" {
  description = "DNS name of the load balancer, of which public_url's host name must be an alias."
  value       = aws_lb.this.dns_name
}

output "zone_id" {
  description = "Hosted zone of the load balancer, for that alias."
  value       = aws_lb.this.zone_id
}

output "load_balancer" {
  description = "ARN suffixes of load balancer and target group, as in metrics."
  value = {
    arn_suffix              = aws_lb.this.arn_suffix
    target_group_arn_suffix = aws_lb_target_group.this.arn_suffix
  }
}

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
