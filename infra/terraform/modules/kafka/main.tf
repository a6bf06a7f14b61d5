# The log: an MSK cluster in three zones, or existing brokers. Clients sign in by SCRAM over TLS and have the permissions of
# their ACLs; administrators and analysts may also sign in by IAM. Without an ACL nothing is allowed.

locals {
  create = var.existing == null

  server_properties = {
    "auto.create.topics.enable"                = "false"
    "allow.everyone.if.no.acl.found"           = "false"
    "default.replication.factor"               = "3"
    "min.insync.replicas"                      = "2"
    "unclean.leader.election.enable"           = "false"
    "log.message.timestamp.type"               = "LogAppendTime"
    "offsets.retention.minutes"                = "43200" # a group without activity for a month keeps its offsets
    "transaction.state.log.replication.factor" = "3"
    "transaction.state.log.min.isr"            = "2"
  }

  scram_port = 9096
  iam_port   = 9098

  bootstrap_servers = local.create ? aws_msk_cluster.this[0].bootstrap_brokers_sasl_scram : var.existing.bootstrap_servers
  security_protocol = local.create ? "SASL_SSL" : var.existing.security_protocol
  sasl_mechanism    = local.create || startswith(local.security_protocol, "SASL") ? try(coalesce(var.existing.sasl_mechanism), "SCRAM-SHA-512") : null
  replication       = local.create ? 3 : var.existing.replication
  ca_file           = local.create ? null : var.existing.ca_secret_arn != null ? "/tmp/kafka-ca.pem" : var.existing.ca_file
  oauthbearer       = local.create ? null : var.existing.oauthbearer
  certificates      = local.create ? {} : var.existing.certificate_secret_arns

  # What tasks get as files (module task), and by which settings they find them.
  shared_files = {
    for name, file in {
      KAFKA_CA = { path = "/tmp/kafka-ca.pem", arn = try(var.existing.ca_secret_arn, null) }
      TOKEN_CA = { path = "/tmp/token-ca.pem", arn = try(local.oauthbearer.ca_secret_arn, null) }
    } : name => file if file.arn != null
  }

  token_environment = local.oauthbearer == null ? {} : {
    for name, value in {
      CATALOGIZER_KAFKA__SASL_OAUTHBEARER_TOKEN_ENDPOINT_URL = local.oauthbearer.token_endpoint_url
      CATALOGIZER_KAFKA__SASL_OAUTHBEARER_SCOPE              = local.oauthbearer.scope
      CATALOGIZER_KAFKA__SASL_OAUTHBEARER_EXTENSIONS         = local.oauthbearer.extensions
      CATALOGIZER_KAFKA__SASL_OAUTHBEARER_CAFILE             = contains(keys(local.shared_files), "TOKEN_CA") ? local.shared_files.TOKEN_CA.path : null
    } : name => value if value != null
  }
}

resource "aws_security_group" "this" {
  count = local.create ? 1 : 0

  name        = "${var.name}-kafka"
  description = "Kafka brokers of ${var.name}"
  vpc_id      = var.vpc_id
  tags        = merge(var.tags, { Name = "${var.name}-kafka" })
}

resource "aws_vpc_security_group_ingress_rule" "scram" {
  for_each = local.create ? var.client_security_groups : {}

  security_group_id            = aws_security_group.this[0].id
  referenced_security_group_id = each.value
  description                  = "SCRAM from ${each.key}"
  ip_protocol                  = "tcp"
  from_port                    = local.scram_port
  to_port                      = local.scram_port
  tags                         = var.tags
}

resource "aws_vpc_security_group_ingress_rule" "iam" {
  for_each = local.create ? var.iam_client_security_groups : {}

  security_group_id            = aws_security_group.this[0].id
  referenced_security_group_id = each.value
  description                  = "IAM from ${each.key}"
  ip_protocol                  = "tcp"
  from_port                    = local.iam_port
  to_port                      = local.iam_port
  tags                         = var.tags
}

resource "aws_cloudwatch_log_group" "brokers" {
  count = local.create ? 1 : 0

  name              = "/catalogizer/${var.name}/kafka"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.kms_key_arn
  tags              = var.tags
}

resource "aws_msk_configuration" "this" {
  count = local.create ? 1 : 0

  name              = "${var.name}-${substr(sha256(jsonencode(local.server_properties)), 0, 8)}"
  kafka_versions    = [var.kafka_version]
  server_properties = join("\n", [for key, value in local.server_properties : "${key}=${value}"])

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_msk_cluster" "this" {
  count = local.create ? 1 : 0

  cluster_name           = var.name
  kafka_version          = var.kafka_version
  number_of_broker_nodes = 3 * var.brokers_per_zone
  enhanced_monitoring    = "PER_TOPIC_PER_BROKER"
  tags                   = var.tags

  broker_node_group_info {
    instance_type   = var.instance_type
    client_subnets  = var.private_subnet_ids
    security_groups = [aws_security_group.this[0].id]

    storage_info {
      ebs_storage_info {
        volume_size = var.volume_gib
      }
    }
  }

  configuration_info {
    arn      = aws_msk_configuration.this[0].arn
    revision = aws_msk_configuration.this[0].latest_revision
  }

  client_authentication {
    unauthenticated = false

    sasl {
      scram = true
      iam   = true
    }
  }

  encryption_info {
    encryption_at_rest_kms_key_arn = var.kms_key_arn

    encryption_in_transit {
      client_broker = "TLS"
      in_cluster    = true
    }
  }

  logging_info {
    broker_logs {
      cloudwatch_logs {
        enabled   = true
        log_group = aws_cloudwatch_log_group.brokers[0].name
      }
    }
  }

  lifecycle {
    ignore_changes = [broker_node_group_info[0].storage_info[0].ebs_storage_info[0].volume_size] # autoscaling grows it
  }
}

resource "aws_msk_scram_secret_association" "this" {
  count = local.create && length(var.scram_secret_arns) > 0 ? 1 : 0

  cluster_arn     = aws_msk_cluster.this[0].arn
  secret_arn_list = sort(values(var.scram_secret_arns))
}

resource "aws_appautoscaling_target" "storage" {
  count = local.create ? 1 : 0

  service_namespace  = "kafka"
  resource_id        = aws_msk_cluster.this[0].arn
  scalable_dimension = "kafka:broker-storage:VolumeSize"
  min_capacity       = 1
  max_capacity       = var.max_volume_gib
}

resource "aws_appautoscaling_policy" "storage" {
  count = local.create ? 1 : 0

  name               = "${var.name}-kafka-storage"
  policy_type        = "TargetTrackingScaling"
  service_namespace  = aws_appautoscaling_target.storage[0].service_namespace
  resource_id        = aws_appautoscaling_target.storage[0].resource_id
  scalable_dimension = aws_appautoscaling_target.storage[0].scalable_dimension

  target_tracking_scaling_policy_configuration {
    target_value     = var.volume_used_percent
    disable_scale_in = true # a broker's disk cannot shrink

    predefined_metric_specification {
      predefined_metric_type = "KafkaBrokerStorageUtilization"
    }
  }
}
