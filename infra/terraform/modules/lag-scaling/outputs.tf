output "scaled" {
  description = "Whether the number of tasks is scaled on lag; false: it stays at min_count."
  value       = local.scaled
}

output "max_count" {
  description = "Greatest number of tasks."
  value       = aws_appautoscaling_target.this.max_capacity
}
