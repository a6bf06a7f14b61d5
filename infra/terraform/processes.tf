# The processes. They need topics, permissions and tables (jobs.tf), so run_processes is false for the first apply.

locals {
  projector_database = { CATALOGIZER_DATABASE__URL = module.database.urls["catalogizer_project"] }
  gateway_database   = { CATALOGIZER_DATABASE__URL = module.database.urls["catalogizer_serve"] }
}

module "streams" {
  source = "./modules/streams"
  count  = var.run_processes ? 1 : 0

  name                  = var.name
  cluster_arn           = aws_ecs_cluster.this.arn
  cluster_name          = aws_ecs_cluster.this.name
  image                 = var.image
  cpu_architecture      = var.cpu_architecture
  private_subnet_ids    = module.network.private_subnet_ids
  security_group_ids    = concat([aws_security_group.process["stream"].id], var.streams.security_group_ids)
  execution_role_arn    = module.iam.execution_role_arns["stream"]
  task_role_arn         = module.iam.task_role_arns["stream"]
  kms_key_arn           = module.secrets.kms_key_arn
  environment           = merge(local.kafka_environment["stream"], local.alerts_environment, var.streams.environment)
  secrets               = merge(lookup(local.kafka_password, "stream", {}), local.given_secrets.stream)
  secret_files          = local.files["stream"]
  min_count             = var.streams.min_count
  max_count             = var.streams.max_count
  lanes                 = var.lanes
  cpu                   = var.streams.cpu
  memory                = var.streams.memory
  lag_metrics           = lookup(local.lag_metrics, "stream", [])
  scale_out_lag_seconds = var.streams.scale_out_lag_seconds
  log_retention_days    = var.log_retention_days
  tags                  = var.tags
}

module "projector" {
  source = "./modules/projector"
  count  = var.run_processes ? 1 : 0

  name                  = var.name
  cluster_arn           = aws_ecs_cluster.this.arn
  cluster_name          = aws_ecs_cluster.this.name
  image                 = var.image
  cpu_architecture      = var.cpu_architecture
  private_subnet_ids    = module.network.private_subnet_ids
  security_group_ids    = [aws_security_group.process["project"].id]
  execution_role_arn    = module.iam.execution_role_arns["project"]
  task_role_arn         = module.iam.task_role_arns["project"]
  kms_key_arn           = module.secrets.kms_key_arn
  environment           = merge(local.kafka_environment["project"], local.projector_database)
  secrets               = merge(lookup(local.kafka_password, "project", {}), { PGPASSWORD = "${local.database_roles.project}:password::" })
  secret_files          = local.files["project"]
  min_count             = var.projector.min_count
  max_count             = var.projector.max_count
  lanes                 = var.lanes
  cpu                   = var.projector.cpu
  memory                = var.projector.memory
  lag_metrics           = lookup(local.lag_metrics, "project", [])
  scale_out_lag_seconds = var.projector.scale_out_lag_seconds
  log_retention_days    = var.log_retention_days
  tags                  = var.tags
}

module "gateway" {
  source = "./modules/gateway"
  count  = var.run_processes ? 1 : 0

  name                      = var.name
  vpc_id                    = module.network.vpc_id
  cluster_arn               = aws_ecs_cluster.this.arn
  cluster_name              = aws_ecs_cluster.this.name
  image                     = var.image
  cpu_architecture          = var.cpu_architecture
  private_subnet_ids        = module.network.private_subnet_ids
  public_subnet_ids         = var.gateway.internal ? module.network.private_subnet_ids : module.network.public_subnet_ids
  trusted_cidrs             = module.network.load_balancer_cidrs[var.gateway.internal ? "internal" : "public"]
  security_group_ids        = [aws_security_group.process["serve"].id]
  execution_role_arn        = module.iam.execution_role_arns["serve"]
  task_role_arn             = module.iam.task_role_arns["serve"]
  kms_key_arn               = module.secrets.kms_key_arn
  public_url                = var.public_url
  certificate_arn           = var.certificate_arn
  allowed_cidrs             = var.gateway.allowed_cidrs
  internal                  = var.gateway.internal
  ping_seconds              = var.gateway.ping_seconds
  idle_seconds              = var.gateway.idle_seconds
  stop_seconds              = var.gateway.stop_seconds
  drain_seconds             = var.gateway.drain_seconds
  min_count                 = var.gateway.min_count
  max_count                 = var.gateway.max_count
  cpu                       = var.gateway.cpu
  memory                    = var.gateway.memory
  requests_per_five_minutes = var.gateway.requests_per_five_minutes
  access_log_bucket         = var.gateway.access_log_bucket
  deletion_protection       = var.deletion_protection
  environment               = merge(local.kafka_environment["serve"], local.gateway_database, var.gateway.environment)
  secret_files              = local.files["serve"]
  log_retention_days        = var.log_retention_days
  tags                      = var.tags

  secrets = merge(
    lookup(local.kafka_password, "serve", {}),
    {
      PGPASSWORD                        = "${local.database_roles.serve}:password::"
      CATALOGIZER_GATEWAY__TOKEN_SECRET = "${module.secrets.arns["token"]}:password::"
    },
    var.gateway.secrets,
  )
}

module "observability" {
  source = "./modules/observability"

  name               = var.name
  kms_key_arn        = module.secrets.kms_key_arn
  alarm_emails       = var.alarm_emails
  lag_metrics        = local.lag_metrics
  kafka_cluster_name = module.kafka.cluster_name
  kafka_brokers      = 3 * coalesce(var.kafka.brokers_per_zone, 1)
  database_id        = module.database.id
  load_balancer      = one(module.gateway[*].load_balancer)
  tags               = var.tags

  services = {
    for component, service in {
      stream  = { name = one(module.streams[*].service_name), min_count = coalesce(var.streams.min_count, 2) }
      project = { name = one(module.projector[*].service_name), min_count = coalesce(var.projector.min_count, 2) }
      serve   = { name = one(module.gateway[*].service_name), min_count = coalesce(var.gateway.min_count, 2) }
    } : component => { cluster_name = aws_ecs_cluster.this.name, service_name = service.name, min_count = service.min_count } if var.run_processes
  }
}
