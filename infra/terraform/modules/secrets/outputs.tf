output "kms_key_arn" {
  description = "The platform's key."
  value       = aws_kms_key.this.arn
}

output "arns" {
  description = "Every secret: kafka/COMPONENT, database/ROLE, token, admin. Each is JSON with username and password."
  value       = { for key in keys(local.names) : key => aws_secretsmanager_secret.this[key].arn }

  # A module that uses a secret's ARN depends on its value, too.
  depends_on = [aws_secretsmanager_secret_version.this, aws_secretsmanager_secret_policy.kafka]
}

output "kafka_arns" {
  description = "Only those of Kafka: component to ARN."
  value       = { for component in var.components : component => aws_secretsmanager_secret.this["kafka/${component}"].arn }

  depends_on = [aws_secretsmanager_secret_version.this, aws_secretsmanager_secret_policy.kafka]
}
