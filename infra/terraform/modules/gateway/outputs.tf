output "dns_name" {
  description = "Name of the load balancer: the host name of public_url is to be an alias of it."
  value       = aws_lb.this.dns_name
}

output "zone_id" {
  description = "Its zone, for that alias."
  value       = aws_lb.this.zone_id
}

output "load_balancer" {
  description = "ARN suffixes of load balancer and target group, as metrics have them."
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
  description = "Its container as data: command, environment, secrets."
  value       = module.task.container
}

output "log_group_name" {
  description = "Where it logs."
  value       = module.task.log_group_name
}
