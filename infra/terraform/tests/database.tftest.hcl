# PostgreSQL, resource by resource.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  name                   = "media"
  vpc_id                 = "vpc-1"
  private_subnet_ids     = ["subnet-a", "subnet-b", "subnet-c"]
  kms_key_arn            = "arn:aws:kms:eu-central-1:123456789012:key/k"
  client_security_groups = { serve = "sg-s" }
}

run "server" {
  module {
    source = "./modules/database"
  }

  assert {
    condition     = aws_db_instance.this.multi_az && aws_db_instance.this.storage_encrypted && aws_db_instance.this.kms_key_id == var.kms_key_arn && !aws_db_instance.this.publicly_accessible && aws_db_instance.this.deletion_protection && aws_db_instance.this.backup_retention_period == 14
    error_message = "a standby, encrypted, not public, not deleted by mistake, backed up"
  }

  assert {
    condition     = aws_db_instance.this.manage_master_user_password && aws_db_instance.this.password == null && aws_db_instance.this.username == "catalogizer_owner" && aws_secretsmanager_secret_rotation.owner.rotation_rules[0].automatically_after_days == 7
    error_message = "the owner's password is RDS's, rotated each week"
  }

  assert {
    condition     = { for parameter in aws_db_parameter_group.this.parameter : parameter.name => parameter.value } == { "rds.force_ssl" = "1", "log_min_duration_statement" = "1000", "log_statement" = "ddl" } && aws_db_parameter_group.this.family == "postgres17"
    error_message = "nobody connects without TLS"
  }

  assert {
    condition     = { for name, rule in aws_vpc_security_group_ingress_rule.clients : name => [rule.referenced_security_group_id, rule.from_port, rule.to_port] } == { serve = ["sg-s", 5432, 5432] }
    error_message = "its clients alone reach it"
  }

  assert {
    condition     = aws_db_subnet_group.this.subnet_ids == toset(var.private_subnet_ids) && aws_cloudwatch_log_group.this.name == "/aws/rds/instance/media/postgresql" && aws_iam_role_policy_attachment.monitoring.policy_arn == "arn:aws:iam::aws:policy/service-role/AmazonRDSEnhancedMonitoringRole"
    error_message = "in the private subnets, logged and watched"
  }

  assert {
    condition     = output.urls == { catalogizer_project = "postgresql://catalogizer_project@db.example:5432/catalogizer?sslmode=require", catalogizer_serve = "postgresql://catalogizer_serve@db.example:5432/catalogizer?sslmode=require" }
    error_message = "addresses without passwords"
  }
}

run "checked_certificates" {
  variables {
    ca_file = "/etc/ssl/rds.pem"
  }

  module {
    source = "./modules/database"
  }

  assert {
    condition     = output.owner_url == "postgresql://catalogizer_owner@db.example:5432/catalogizer?sslmode=verify-full&sslrootcert=/etc/ssl/rds.pem"
    error_message = "with RDS's certificates in the image the server must prove to be itself"
  }
}

run "too_little_room_to_grow_is_refused" {
  command = plan

  variables {
    storage_gib     = 100
    max_storage_gib = 105
  }

  module {
    source = "./modules/database"
  }

  expect_failures = [var.max_storage_gib]
}
