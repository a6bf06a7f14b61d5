# All secrets of the platform and the key that they are encrypted with. A value is written by a write-only argument: it is in no
# plan and no state, so the state shows where secrets are and not their values.

locals {
  kafka    = { for component in var.components : "kafka/${component}" => "${var.kafka_secret_prefix}${var.name}_${component}" }
  database = { for role in var.database_roles : "database/${role}" => "${var.name}/database/${role}" }
  single   = { token = "${var.name}/token", admin = "${var.name}/admin" }
  names    = merge(local.kafka, local.database, local.single)

  descriptions = merge(
    { for key in keys(local.kafka) : key => "Kafka: SCRAM user catalogizer-${trimprefix(key, "kafka/")}" },
    { for key in keys(local.database) : key => "PostgreSQL: role ${trimprefix(key, "database/")}" },
    { token = "HMAC key of the gateways' tokens", admin = "Password of user admin" },
  )

  # The user name in a secret, beside the password: MSK reads both, ECS fetches one of the two keys.
  users = merge(
    { for key in keys(local.kafka) : key => "catalogizer-${trimprefix(key, "kafka/")}" },
    { for key in keys(local.database) : key => trimprefix(key, "database/") },
    { token = "token", admin = "admin" },
  )
}

data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

data "aws_region" "current" {}

data "aws_iam_policy_document" "key" {
  #checkov:skip=CKV_AWS_109:a key's policy is about this key alone, and its account must be able to change it
  #checkov:skip=CKV_AWS_111:about this key alone, as above
  #checkov:skip=CKV_AWS_356:as above; the resource of a key's policy is always *
  statement {
    sid       = "Account"
    actions   = ["kms:*"]
    resources = ["*"]
    principals {
      type        = "AWS"
      identifiers = ["arn:${data.aws_partition.current.partition}:iam::${data.aws_caller_identity.current.account_id}:root"]
    }
  }

  statement {
    sid       = "Logs"
    actions   = ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"]
    resources = ["*"]
    principals {
      type        = "Service"
      identifiers = ["logs.${data.aws_region.current.name}.amazonaws.com"]
    }
    condition {
      test     = "ArnLike"
      variable = "kms:EncryptionContext:aws:logs:arn"
      values   = ["arn:${data.aws_partition.current.partition}:logs:${data.aws_region.current.name}:${data.aws_caller_identity.current.account_id}:log-group:*"]
    }
  }

  statement {
    sid       = "Alarms"
    actions   = ["kms:Decrypt", "kms:GenerateDataKey*"]
    resources = ["*"]
    principals {
      type        = "Service"
      identifiers = ["cloudwatch.amazonaws.com"]
    }
    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [data.aws_caller_identity.current.account_id]
    }
  }
}

resource "aws_kms_key" "this" {
  description             = "Catalogizer ${var.name}: secrets, disks, logs"
  enable_key_rotation     = true
  deletion_window_in_days = 30
  policy                  = data.aws_iam_policy_document.key.json
  tags                    = var.tags
}

resource "aws_kms_alias" "this" {
  name          = "alias/catalogizer-${var.name}"
  target_key_id = aws_kms_key.this.key_id
}

resource "aws_secretsmanager_secret" "this" {
  #checkov:skip=CKV2_AWS_57:rotated by raising var.versions, because clients must learn of it (README, Rotation); RDS rotates the owner's by itself
  for_each = local.names

  name                    = each.value
  description             = local.descriptions[each.key]
  kms_key_id              = aws_kms_key.this.arn
  recovery_window_in_days = var.recovery_days
  tags                    = var.tags
}

resource "aws_secretsmanager_secret_version" "this" {
  for_each = local.names

  secret_id = aws_secretsmanager_secret.this[each.key].id
  # Two random UUIDs have 244 bits from the system's generator. They differ at each plan, and are written only when the version
  # changes. AWS's own generator (an ephemeral resource) cannot be tested without AWS.
  secret_string_wo = jsonencode({
    username = local.users[each.key]
    password = var.generate ? replace("${uuid()}${uuid()}", "-", "") : var.given[each.key]
  })
  secret_string_wo_version = lookup(var.versions, each.key, 1)
}

# MSK fetches users and passwords by itself, also after a change.
data "aws_iam_policy_document" "kafka" {
  for_each = local.kafka

  statement {
    actions   = ["secretsmanager:GetSecretValue"]
    resources = [aws_secretsmanager_secret.this[each.key].arn]
    principals {
      type        = "Service"
      identifiers = ["kafka.amazonaws.com"]
    }
    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [data.aws_caller_identity.current.account_id]
    }
  }
}

resource "aws_secretsmanager_secret_policy" "kafka" {
  for_each = local.kafka

  secret_arn = aws_secretsmanager_secret.this[each.key].arn
  policy     = data.aws_iam_policy_document.kafka[each.key].json
}
