output "kms_key_arn" {
  description = "The platform's key."
  value       = aws_kms_key.this.arn
}

output "arns" {
  description = "Every secret: kafka/COMPONENT, database/ROLE, token, admin. Each is JSON with username and password."
  value       = { for key in keys(local.names) : key => aws_secretsmanager_secret.this[key].arn }

  # Whoever names a secret may count on a value in it.
  depends_on = [aws_secretsmanager_secret_version.this, aws_secretsmanager_secret_policy.kafka]
}

output "kafka_arns" {
  description = "Those of Kafka alone: component to ARN."
  value       = { for component in var.components : component => aws_secretsmanager_secret.this["kafka/${component}"].arn }

  depends_on = [aws_secretsmanager_secret_version.this, aws_secretsmanager_secret_policy.kafka]
}
