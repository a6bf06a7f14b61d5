# Gateways on Fargate behind a load balancer that terminates TLS. Any gateway resumes from any cursor, so a browser may reach
# another one each time: no stickiness. A gateway that is stopped sends 1012 (service restart) to all its sockets before it ends.

locals {
  component = "serve"
  port      = 8080
}

module "task" {
  source = "../task"

  name               = local.component
  installation       = var.name
  image              = var.image
  command            = ["serve"]
  cpu                = var.cpu
  memory             = var.memory
  cpu_architecture   = var.cpu_architecture
  port               = local.port
  health_port        = local.port
  stop_seconds       = var.stop_seconds
  execution_role_arn = var.execution_role_arn
  task_role_arn      = var.task_role_arn
  kms_key_arn        = var.kms_key_arn
  log_retention_days = var.log_retention_days
  secrets            = var.secrets
  secret_files       = var.secret_files
  tags               = var.tags

  environment = merge(var.environment, {
    CATALOGIZER_GATEWAY__HOST            = "0.0.0.0"
    CATALOGIZER_GATEWAY__PORT            = tostring(local.port)
    CATALOGIZER_GATEWAY__PUBLIC_URL      = var.public_url
    CATALOGIZER_GATEWAY__TRUSTED_PROXIES = jsonencode(var.trusted_cidrs)
    CATALOGIZER_GATEWAY__PING_SECONDS    = tostring(var.ping_seconds)
    CATALOGIZER_STATE_DIR                = "/var/lib/catalogizer"
    CATALOGIZER_LOG__FORMAT              = "json"
  })
}

resource "aws_security_group" "load_balancer" {
  name        = "${var.name}-load-balancer"
  description = "Load balancer of ${var.name}"
  vpc_id      = var.vpc_id
  tags        = merge(var.tags, { Name = "${var.name}-load-balancer" })
}

resource "aws_vpc_security_group_ingress_rule" "https" {
  for_each = toset(var.allowed_cidrs)

  security_group_id = aws_security_group.load_balancer.id
  cidr_ipv4         = each.value
  description       = "HTTPS"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
  tags              = var.tags
}

# Only redirects browsers to HTTPS.
resource "aws_vpc_security_group_ingress_rule" "http" {
  #checkov:skip=CKV_AWS_260:port 80 answers with a redirect to HTTPS and with nothing else
  for_each = toset(var.allowed_cidrs)

  security_group_id = aws_security_group.load_balancer.id
  cidr_ipv4         = each.value
  description       = "HTTP, which is led to HTTPS"
  ip_protocol       = "tcp"
  from_port         = 80
  to_port           = 80
  tags              = var.tags
}

resource "aws_vpc_security_group_egress_rule" "to_gateways" {
  security_group_id            = aws_security_group.load_balancer.id
  referenced_security_group_id = aws_security_group.gateways.id
  description                  = "To the gateways"
  ip_protocol                  = "tcp"
  from_port                    = local.port
  to_port                      = local.port
  tags                         = var.tags
}

resource "aws_security_group" "gateways" {
  name        = "${var.name}-gateways"
  description = "Gateways of ${var.name}: from the load balancer alone"
  vpc_id      = var.vpc_id
  tags        = merge(var.tags, { Name = "${var.name}-gateways" })
}

resource "aws_vpc_security_group_ingress_rule" "from_load_balancer" {
  security_group_id            = aws_security_group.gateways.id
  referenced_security_group_id = aws_security_group.load_balancer.id
  description                  = "From the load balancer"
  ip_protocol                  = "tcp"
  from_port                    = local.port
  to_port                      = local.port
  tags                         = var.tags
}

resource "aws_lb" "this" {
  #checkov:skip=CKV_AWS_91:written where var.access_log_bucket names a bucket; whose that is, is the operator's to say
  #checkov:skip=CKV_AWS_150:on unless var.deletion_protection is false, which a trial installation may want
  name                       = var.name
  load_balancer_type         = "application"
  internal                   = var.internal
  subnets                    = var.public_subnet_ids
  security_groups            = [aws_security_group.load_balancer.id]
  idle_timeout               = var.idle_seconds
  enable_http2               = true
  drop_invalid_header_fields = true
  xff_header_processing_mode = "append" # the gateway reads the client's address from it
  desync_mitigation_mode     = "defensive"
  enable_deletion_protection = var.deletion_protection
  tags                       = var.tags

  dynamic "access_logs" {
    for_each = var.access_log_bucket == null ? [] : [var.access_log_bucket]
    content {
      bucket  = access_logs.value
      prefix  = var.name
      enabled = true
    }
  }
}

resource "aws_lb_target_group" "this" {
  #checkov:skip=CKV_AWS_378:gateways speak HTTP; they let nobody in but the load balancer, in private subnets
  name                 = "${var.name}-serve"
  vpc_id               = var.vpc_id
  target_type          = "ip"
  port                 = local.port
  protocol             = "HTTP"
  protocol_version     = "HTTP1" # the others cannot upgrade to WebSocket
  deregistration_delay = var.drain_seconds
  # sockets stay open for hours: the gateway with the fewest gets the next one
  load_balancing_algorithm_type = "least_outstanding_requests"
  tags                          = var.tags

  stickiness {
    type    = "lb_cookie"
    enabled = false
  }

  # ECS stops a task that is unhealthy here. A gateway without its database is not ready but still serves its sockets, so it
  # is given longer than a database takes to fail over: 10 x 15 s.
  health_check {
    path                = "/health/ready"
    protocol            = "HTTP"
    matcher             = "200"
    interval            = 15
    timeout             = 5
    healthy_threshold   = 2
    unhealthy_threshold = 10
  }
}

resource "aws_lb_listener" "https" {
  load_balancer_arn = aws_lb.this.arn
  port              = 443
  protocol          = "HTTPS"
  ssl_policy        = "ELBSecurityPolicy-TLS13-1-2-2021-06"
  certificate_arn   = var.certificate_arn
  tags              = var.tags

  default_action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.this.arn
  }
}

resource "aws_lb_listener" "http" {
  load_balancer_arn = aws_lb.this.arn
  port              = 80
  protocol          = "HTTP"
  tags              = var.tags

  default_action {
    type = "redirect"

    redirect {
      port        = "443"
      protocol    = "HTTPS"
      status_code = "HTTP_301"
    }
  }
}

resource "aws_ecs_service" "this" {
  name                               = "${var.name}-${local.component}"
  cluster                            = var.cluster_arn
  task_definition                    = module.task.arn
  desired_count                      = var.min_count
  launch_type                        = "FARGATE"
  platform_version                   = "LATEST"
  deployment_minimum_healthy_percent = 100
  deployment_maximum_percent         = 200
  health_check_grace_period_seconds  = 180
  enable_execute_command             = false
  propagate_tags                     = "SERVICE"
  tags                               = var.tags

  network_configuration {
    subnets          = var.private_subnet_ids
    security_groups  = concat([aws_security_group.gateways.id], var.security_group_ids)
    assign_public_ip = false
  }

  load_balancer {
    target_group_arn = aws_lb_target_group.this.arn
    container_name   = module.task.container_name
    container_port   = local.port
  }

  deployment_circuit_breaker {
    enable   = true
    rollback = true
  }

  lifecycle {
    ignore_changes = [desired_count] # scaled on load
  }

  depends_on = [aws_lb_listener.https]
}

resource "aws_appautoscaling_target" "this" {
  service_namespace  = "ecs"
  resource_id        = "service/${var.cluster_name}/${aws_ecs_service.this.name}"
  scalable_dimension = "ecs:service:DesiredCount"
  min_capacity       = var.min_count
  max_capacity       = var.max_count
  tags               = var.tags
}

resource "aws_appautoscaling_policy" "cpu" {
  name               = "${var.name}-serve-cpu"
  policy_type        = "TargetTrackingScaling"
  service_namespace  = aws_appautoscaling_target.this.service_namespace
  resource_id        = aws_appautoscaling_target.this.resource_id
  scalable_dimension = aws_appautoscaling_target.this.scalable_dimension

  target_tracking_scaling_policy_configuration {
    target_value       = var.cpu_percent
    scale_out_cooldown = 60
    scale_in_cooldown  = 900 # the sockets of each gateway that stops reconnect to the others

    predefined_metric_specification {
      predefined_metric_type = "ECSServiceAverageCPUUtilization"
    }
  }
}
