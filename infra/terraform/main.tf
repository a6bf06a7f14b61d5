# The platform on AWS, composed of its modules. The producer, which runs near the storage, is a separate module, used once for
# each place that has media.

locals {
  kafka_made = var.kafka.existing == null

  # Which components reach what over the network, and with which secrets their tasks start.
  kafka_clients    = toset(["watch", "stream", "project", "serve", "topics"])
  database_clients = toset(["project", "serve", "migrate", "admin"])
  iam_clients      = toset(var.kafka_tools_image == null ? [] : ["bootstrap"])
  processes        = setunion(local.kafka_clients, local.database_clients, local.iam_clients)

  kafka_user = { watch = "watch", stream = "stream", project = "project", serve = "serve", topics = "operator" }

  # If the brokers require no password, there are no secrets for them.
  kafka_secrets = module.kafka.signs_in ? {
    for component, user in local.kafka_user : component => module.secrets.arns["kafka/${user}"]
  } : {}

  database_roles = {
    project = module.secrets.arns["database/catalogizer_project"]
    serve   = module.secrets.arns["database/catalogizer_serve"]
  }

  secret_arns = {
    for component in local.processes : component => distinct(concat(
      contains(keys(local.kafka_secrets), component) ? [local.kafka_secrets[component]] : [],
      contains(keys(local.database_roles), component) ? [local.database_roles[component]] : [],
      [for file in values(lookup(local.files, component, {})) : join(":", slice(split(":", file.arn), 0, 7))],
      [for value in values(lookup(local.given_secrets, component, {})) : join(":", slice(split(":", value), 0, 7))],
      component == "serve" ? [module.secrets.arns["token"]] : [],
      component == "migrate" ? concat([module.database.owner_secret_arn], values(local.database_roles)) : [],
      component == "admin" ? [module.database.owner_secret_arn, module.secrets.arns["admin"]] : [],
    ))
  }

  kafka_environment = {
    for component, user in local.kafka_user : component => merge(
      var.environment,
      module.kafka.environment,
      { CATALOGIZER_KAFKA__TOPIC_PREFIX = var.topic_prefix, CATALOGIZER_KAFKA__LANES = tostring(var.lanes) },
      module.kafka.signs_in ? { (local.kafka_names.user) = "catalogizer-${user}" } : {},
    )
  }

  kafka_names = module.kafka.with_tokens ? {
    user     = "CATALOGIZER_KAFKA__SASL_OAUTHBEARER_CLIENT_ID"
    password = "CATALOGIZER_KAFKA__SASL_OAUTHBEARER_CLIENT_SECRET"
    } : {
    user     = "CATALOGIZER_KAFKA__SASL_USERNAME"
    password = "CATALOGIZER_KAFKA__SASL_PASSWORD"
  }

  kafka_password = { for component, arn in local.kafka_secrets : component => { (local.kafka_names.password) = "${arn}:password::" } }

  # Secrets of the operator of AWS, as variables and as files.
  given_secrets = { stream = merge(local.alerts_secrets, var.streams.secrets), serve = var.gateway.secrets }
  files = { for component, user in local.kafka_user : component => merge(
    module.kafka.files[user],
    component == "stream" ? merge(local.alerts_files, var.streams.secret_files) : {},
    component == "serve" ? var.gateway.secret_files : {},
  ) }

  log_groups = { for component in local.processes : component => [
    "arn:${data.aws_partition.current.partition}:logs:${data.aws_region.current.name}:${data.aws_caller_identity.current.account_id}:log-group:/catalogizer/${var.name}/${component == "topics" ? "topics*" : component}",
  ] }

  # The lag of a component: MSK's metric of its group, or a metric of the operator for other brokers.
  lag_metrics = merge(
    module.kafka.cluster_name == null ? {} : {
      for component, lag in module.topics_and_acls.lag : component => [for topic in lag.topics : {
        namespace  = "AWS/Kafka"
        name       = "EstimatedMaxTimeLag"
        dimensions = { "Cluster Name" = module.kafka.cluster_name, "Consumer Group" = lag.group, "Topic" = topic }
      }]
    },
    var.lag_metrics,
  )
}

data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

data "aws_region" "current" {}

module "secrets" {
  source = "./modules/secrets"

  name          = var.name
  components    = module.topics_and_acls.components
  generate      = var.generate_secrets
  given         = var.given_secrets
  versions      = var.secret_versions
  recovery_days = var.secret_recovery_days
  tags          = var.tags
}

module "network" {
  source = "./modules/network"

  name               = var.name
  existing           = var.network.existing
  cidr               = var.network.cidr
  zones              = var.network.zones
  one_nat_gateway    = var.network.one_nat_gateway
  kms_key_arn        = module.secrets.kms_key_arn
  log_retention_days = var.log_retention_days
  tags               = var.tags
}

module "kafka" {
  source = "./modules/kafka"

  name                       = var.name
  existing                   = var.kafka.existing
  vpc_id                     = module.network.vpc_id
  private_subnet_ids         = module.network.private_subnet_ids
  kms_key_arn                = module.secrets.kms_key_arn
  client_security_groups     = { for component in local.kafka_clients : component => aws_security_group.process[component].id }
  iam_client_security_groups = { for component in local.iam_clients : component => aws_security_group.process[component].id }
  scram_secret_arns          = module.secrets.kafka_arns
  kafka_version              = var.kafka.version
  instance_type              = var.kafka.instance_type
  brokers_per_zone           = var.kafka.brokers_per_zone
  volume_gib                 = var.kafka.volume_gib
  max_volume_gib             = var.kafka.max_volume_gib
  log_retention_days         = var.log_retention_days
  tags                       = var.tags
}

module "topics_and_acls" {
  source = "./modules/topics-and-acls"

  name               = var.name
  topic_prefix       = var.topic_prefix
  lanes              = var.lanes
  replication_factor = try(var.kafka.existing.replication, 3)
}

module "database" {
  source = "./modules/database"

  name                   = var.name
  vpc_id                 = module.network.vpc_id
  private_subnet_ids     = module.network.private_subnet_ids
  kms_key_arn            = module.secrets.kms_key_arn
  client_security_groups = { for component in local.database_clients : component => aws_security_group.process[component].id }
  engine_version         = var.database.engine_version
  instance_class         = var.database.instance_class
  multi_az               = var.database.multi_az
  storage_gib            = var.database.storage_gib
  max_storage_gib        = var.database.max_storage_gib
  backup_days            = var.database.backup_days
  rotation_days          = var.database.rotation_days
  deletion_protection    = var.deletion_protection
  skip_final_snapshot    = var.database.skip_final_snapshot
  ca_file                = var.database.ca_file
  log_retention_days     = var.log_retention_days
  tags                   = var.tags
}

module "iam" {
  source = "./modules/iam"

  name                = var.name
  secret_arns         = local.secret_arns
  kms_key_arn         = module.secrets.kms_key_arn
  log_group_arns      = local.log_groups
  kafka_rights        = module.topics_and_acls.rights
  kafka_cluster_arn   = module.kafka.cluster_arn
  kafka_policies      = local.kafka_made || try(var.kafka.existing.cluster_arn != null, false)
  analyst_topics      = [for topic in var.analyst_topics : "${var.topic_prefix}${topic}"]
  make_bootstrap_role = var.kafka_tools_image != null
  tags                = var.tags
}

resource "aws_ecs_cluster" "this" {
  name = var.name
  tags = var.tags

  setting {
    name  = "containerInsights"
    value = "enabled"
  }
}

# What each process may reach. Only the load balancer may reach a process, the gateways (module gateway).
resource "aws_security_group" "process" {
  #checkov:skip=CKV2_AWS_5:services have it (processes.tf), tasks are run with it (output run), a producer is given it
  for_each = local.processes

  name        = "${var.name}-${each.key}"
  description = "${each.key} of ${var.name}"
  vpc_id      = module.network.vpc_id
  tags        = merge(var.tags, { Name = "${var.name}-${each.key}" })
}

resource "aws_vpc_security_group_egress_rule" "https" {
  for_each = local.processes

  security_group_id = aws_security_group.process[each.key].id
  cidr_ipv4         = "0.0.0.0/0"
  description       = "AWS: image, secrets, log; the gateways: providers of sign-ins"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
  tags              = var.tags
}

resource "aws_vpc_security_group_egress_rule" "kafka" {
  for_each = local.kafka_made ? local.kafka_clients : toset([])

  security_group_id            = aws_security_group.process[each.key].id
  referenced_security_group_id = module.kafka.security_group_id
  description                  = "Kafka by SCRAM"
  ip_protocol                  = "tcp"
  from_port                    = 9096
  to_port                      = 9096
  tags                         = var.tags
}

resource "aws_vpc_security_group_egress_rule" "kafka_iam" {
  for_each = local.kafka_made ? local.iam_clients : toset([])

  security_group_id            = aws_security_group.process[each.key].id
  referenced_security_group_id = module.kafka.security_group_id
  description                  = "Kafka by IAM"
  ip_protocol                  = "tcp"
  from_port                    = 9098
  to_port                      = 9098
  tags                         = var.tags
}

# Existing brokers, at any address, by their known ports.
resource "aws_vpc_security_group_egress_rule" "kafka_existing" {
  for_each = local.kafka_made ? {} : {
    for pair in setproduct(local.kafka_clients, distinct([for server in split(",", var.kafka.existing.bootstrap_servers) : split(":", server)[1]])) :
    "${pair[0]}-${pair[1]}" => { component = pair[0], port = tonumber(pair[1]) }
  }

  security_group_id = aws_security_group.process[each.value.component].id
  cidr_ipv4         = var.kafka.existing_cidr
  description       = "Kafka"
  ip_protocol       = "tcp"
  from_port         = each.value.port
  to_port           = each.value.port
  tags              = var.tags
}

# Servers elsewhere at other ports than 443: mail, webhooks, token endpoints, collectors of traces.
resource "aws_vpc_security_group_egress_rule" "elsewhere" {
  for_each = { for pair in local.elsewhere : "${pair.component}-${pair.port}" => pair... if pair.port != 443 }

  security_group_id = aws_security_group.process[each.value[0].component].id
  cidr_ipv4         = "0.0.0.0/0"
  description       = each.value[0].what
  ip_protocol       = "tcp"
  from_port         = each.value[0].port
  to_port           = each.value[0].port
  tags              = var.tags
}

resource "aws_vpc_security_group_egress_rule" "database" {
  for_each = local.database_clients

  security_group_id            = aws_security_group.process[each.key].id
  referenced_security_group_id = module.database.security_group_id
  description                  = "PostgreSQL"
  ip_protocol                  = "tcp"
  from_port                    = 5432
  to_port                      = 5432
  tags                         = var.tags
}
