output "owner_url" {
  description = "CATALOGIZER_DATABASE__URL of the owner, without a password: that is PGPASSWORD."
  value       = "postgresql://${local.owner}@${local.server}"
}

output "urls" {
  description = "The same for each other role."
  value       = { for role in ["catalogizer_project", "catalogizer_serve"] : role => "postgresql://${role}@${local.server}" }
}

output "owner_secret_arn" {
  description = "RDS's secret with the owner's password, JSON with username and password."
  value       = aws_db_instance.this.master_user_secret[0].secret_arn
}

output "id" {
  description = "Identifier of the instance, as in metrics."
  value       = aws_db_instance.this.identifier
}

output "security_group_id" {
  description = "The database's security group."
  value       = aws_security_group.this.id
}
