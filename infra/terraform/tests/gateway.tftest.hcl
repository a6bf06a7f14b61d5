# Gateways, resource by resource.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  name               = "media"
  cluster_arn        = "arn:aws:ecs:eu-central-1:123456789012:cluster/c"
  cluster_name       = "c"
  image              = "registry.example/catalogizer@sha256:0f"
  private_subnet_ids = ["subnet-a", "subnet-b"]
  security_group_ids = ["sg-p"]
  execution_role_arn = "arn:aws:iam::123456789012:role/e"
  task_role_arn      = "arn:aws:iam::123456789012:role/t"
  kms_key_arn        = "arn:aws:kms:eu-central-1:123456789012:key/k"
  environment        = { CATALOGIZER_KAFKA__BOOTSTRAP_SERVERS = "kafka:9096" }
  secrets            = { CATALOGIZER_KAFKA__SASL_PASSWORD = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:w:password::" }
  vpc_id             = "vpc-1"
  public_subnet_ids  = ["subnet-c", "subnet-d"]
  trusted_cidrs      = ["10.0.0.0/20"]
  public_url         = "https://media.example"
  certificate_arn    = "arn:aws:acm:eu-central-1:123456789012:certificate/c"
}

run "gateway" {
  module {
    source = "./modules/gateway"
  }

  assert {
    condition     = aws_lb.this.idle_timeout == 300 && aws_lb.this.idle_timeout > 2 * var.ping_seconds && aws_lb.this.drop_invalid_header_fields && aws_lb.this.xff_header_processing_mode == "append" && aws_lb.this.enable_deletion_protection && !aws_lb.this.internal
    error_message = "an idle socket lives longer than two pings, and who asks is appended"
  }

  assert {
    condition     = aws_lb_listener.https.port == 443 && aws_lb_listener.https.protocol == "HTTPS" && aws_lb_listener.https.ssl_policy == "ELBSecurityPolicy-TLS13-1-2-2021-06" && aws_lb_listener.https.certificate_arn == var.certificate_arn && aws_lb_listener.http.default_action[0].redirect[0].protocol == "HTTPS"
    error_message = "HTTPS from TLS 1.2 on, and HTTP is led there"
  }

  assert {
    condition     = !aws_lb_target_group.this.stickiness[0].enabled && aws_lb_target_group.this.protocol_version == "HTTP1" && aws_lb_target_group.this.target_type == "ip" && aws_lb_target_group.this.load_balancing_algorithm_type == "least_outstanding_requests"
    error_message = "no stickiness: any gateway goes on from any cursor"
  }

  assert {
    condition     = tonumber(aws_lb_target_group.this.deregistration_delay) >= output.container.stopTimeout && output.container.stopTimeout == 30
    error_message = "the load balancer cuts no socket off before 1012 has gone out"
  }

  assert {
    condition     = [aws_lb_target_group.this.health_check[0].path, aws_lb_target_group.this.health_check[0].matcher] == ["/health/ready", "200"] && aws_lb_target_group.this.health_check[0].interval * aws_lb_target_group.this.health_check[0].unhealthy_threshold >= 120
    error_message = "ready gateways get sockets, and a database may fail over before one is ended for it"
  }

  assert {
    condition     = [for rule in aws_wafv2_web_acl.this.rule : rule.name if rule.name == "rate" || startswith(rule.name, "AWSManaged")] != [] && length(aws_wafv2_web_acl.this.rule) == 4 && aws_wafv2_web_acl_association.this.resource_arn == aws_lb.this.arn
    error_message = "a firewall stands before it"
  }

  assert {
    condition     = startswith(aws_cloudwatch_log_group.firewall.name, "aws-waf-logs-") && length(aws_wafv2_web_acl_logging_configuration.this.redacted_fields) == 3
    error_message = "its log has no tokens"
  }

  assert {
    condition     = keys(aws_vpc_security_group_ingress_rule.https) == ["0.0.0.0/0"] && aws_vpc_security_group_ingress_rule.https["0.0.0.0/0"].from_port == 443 && aws_vpc_security_group_ingress_rule.http["0.0.0.0/0"].from_port == 80 && aws_vpc_security_group_ingress_rule.from_load_balancer.from_port == 8080 && aws_vpc_security_group_egress_rule.to_gateways.to_port == 8080
    error_message = "people reach the load balancer, and it alone reaches the gateways"
  }

  assert {
    condition     = aws_ecs_service.this.launch_type == "FARGATE" && !aws_ecs_service.this.network_configuration[0].assign_public_ip && aws_ecs_service.this.deployment_minimum_healthy_percent == 100 && aws_ecs_service.this.deployment_circuit_breaker[0].rollback
    error_message = "a new gateway is there before an old one goes"
  }

  assert {
    condition     = aws_appautoscaling_target.this.min_capacity == 2 && aws_appautoscaling_target.this.max_capacity == 6 && aws_appautoscaling_policy.cpu.target_tracking_scaling_policy_configuration[0].scale_in_cooldown == 900
    error_message = "their number follows the load, slowly downwards"
  }

  assert {
    condition = { for entry in output.container.environment : entry.name => entry.value } == {
      CATALOGIZER_GATEWAY__HOST            = "0.0.0.0", CATALOGIZER_GATEWAY__PORT = "8080", CATALOGIZER_GATEWAY__PUBLIC_URL = "https://media.example",
      CATALOGIZER_GATEWAY__TRUSTED_PROXIES = "[\"10.0.0.0/20\"]", CATALOGIZER_GATEWAY__PING_SECONDS = "25",
      CATALOGIZER_KAFKA__BOOTSTRAP_SERVERS = "kafka:9096", CATALOGIZER_LOG__FORMAT = "json", CATALOGIZER_STATE_DIR = "/var/lib/catalogizer"
    }
    error_message = "its settings, and no secret among them"
  }
}

run "an_idle_time_near_the_ping_is_refused" {
  command = plan

  variables {
    idle_seconds = 50
  }

  module {
    source = "./modules/gateway"
  }

  expect_failures = [var.idle_seconds]
}

run "a_drain_shorter_than_the_stop_is_refused" {
  command = plan

  variables {
    drain_seconds = 10
  }

  module {
    source = "./modules/gateway"
  }

  expect_failures = [var.drain_seconds]
}

run "an_address_with_a_path_is_refused" {
  command = plan

  variables {
    public_url = "https://media.example/catalog"
  }

  module {
    source = "./modules/gateway"
  }

  expect_failures = [var.public_url]
}
