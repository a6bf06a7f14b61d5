# Projectors: the log into PostgreSQL, each row and its position in one transaction. More projectors than lanes would be idle.

module "task" {
  source = "../task"

  name               = "project"
  installation       = var.name
  image              = var.image
  command            = ["project"]
  cpu                = var.cpu
  memory             = var.memory
  cpu_architecture   = var.cpu_architecture
  health_port        = 8081
  execution_role_arn = var.execution_role_arn
  task_role_arn      = var.task_role_arn
  kms_key_arn        = var.kms_key_arn
  log_retention_days = var.log_retention_days
  secrets            = var.secrets
  secret_files       = var.secret_files
  tags               = var.tags

  environment = merge(var.environment, {
    CATALOGIZER_STREAMS__PROJECTOR_HEALTH__PORT = "8081"
    CATALOGIZER_KAFKA__LANES                    = tostring(var.lanes)
    CATALOGIZER_STATE_DIR                       = "/var/lib/catalogizer"
    CATALOGIZER_LOG__FORMAT                     = "json"
  })
}

resource "aws_ecs_service" "this" {
  name                               = "${var.name}-project"
  cluster                            = var.cluster_arn
  task_definition                    = module.task.arn
  desired_count                      = var.min_count
  launch_type                        = "FARGATE"
  platform_version                   = "LATEST"
  deployment_minimum_healthy_percent = 100
  deployment_maximum_percent         = 200
  enable_execute_command             = false
  propagate_tags                     = "SERVICE"
  tags                               = var.tags

  network_configuration {
    subnets          = var.private_subnet_ids
    security_groups  = var.security_group_ids
    assign_public_ip = false
  }

  deployment_circuit_breaker {
    enable   = true
    rollback = true
  }

  lifecycle {
    ignore_changes = [desired_count] # scaled on lag
  }
}

module "scaling" {
  source = "../lag-scaling"

  name                  = "${var.name}-project"
  cluster_name          = var.cluster_name
  service_name          = aws_ecs_service.this.name
  min_count             = var.min_count
  max_count             = var.max_count
  lanes                 = var.lanes
  lag_metrics           = var.lag_metrics
  scale_out_lag_seconds = var.scale_out_lag_seconds
  scale_in_lag_seconds  = var.scale_in_lag_seconds
  tags                  = var.tags
}
