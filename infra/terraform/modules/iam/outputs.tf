output "task_role_arns" {
  description = "Role of each component's process."
  value       = { for component in local.components : component => aws_iam_role.task[component].arn }
}

output "execution_role_arns" {
  description = "Role by which ECS starts each component."
  value       = { for component in local.components : component => aws_iam_role.execution[component].arn }

  depends_on = [aws_iam_role_policy.execution]
}

output "kafka_policy_arns" {
  description = "Policies for MSK's IAM access: COMPONENT-reads, COMPONENT-writes, analyst, admin."
  value       = { for name in keys(local.policies) : name => aws_iam_policy.kafka[name].arn }
}

output "kafka_statements" {
  description = "The contents of those policies, as data."
  value       = local.policies
}

output "execution_statements" {
  description = "The permissions with which ECS starts each component, as data."
  value       = local.execution
}
