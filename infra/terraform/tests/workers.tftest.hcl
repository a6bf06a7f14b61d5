# Stream workers and projectors: what runs, and how many.

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
  lanes              = 12
}

run "scaling" {
  variables {
    name         = "media-stream"
    service_name = "media-stream"
    min_count    = 2
    max_count    = 6
    lag_metrics  = [{ namespace = "AWS/Kafka", name = "EstimatedMaxTimeLag", dimensions = { "Topic" = "a" } }, { namespace = "AWS/Kafka", name = "EstimatedMaxTimeLag", dimensions = { "Topic" = "b" } }]
  }

  module {
    source = "./modules/lag-scaling"
  }

  assert {
    condition     = aws_appautoscaling_target.this.min_capacity == 2 && aws_appautoscaling_target.this.max_capacity == 6 && aws_appautoscaling_target.this.resource_id == "service/c/media-stream"
    error_message = "between their bounds"
  }

  assert {
    condition     = { for name, alarm in aws_cloudwatch_metric_alarm.lag : name => [alarm.comparison_operator, tostring(alarm.threshold), tostring(alarm.evaluation_periods), alarm.treat_missing_data] } == { out = ["GreaterThanThreshold", "60", "3", "ignore"], in = ["LessThanThreshold", "5", "15", "ignore"] }
    error_message = "a task more after three minutes behind, one less after a quarter of an hour without lag"
  }

  assert {
    condition     = toset([for query in aws_cloudwatch_metric_alarm.lag["out"].metric_query : coalesce(query.expression, try(query.metric[0].dimensions.Topic, ""))]) == toset(["MAX([m0,m1])", "a", "b"])
    error_message = "the topic that is furthest behind decides"
  }

  assert {
    condition     = sort([for step in aws_appautoscaling_policy.out[0].step_scaling_policy_configuration[0].step_adjustment : tostring(step.scaling_adjustment)]) == tolist(["1", "2"]) && [for step in aws_appautoscaling_policy.in[0].step_scaling_policy_configuration[0].step_adjustment : step.scaling_adjustment] == [-1]
    error_message = "in steps"
  }
}

run "streams" {
  module {
    source = "./modules/streams"
  }

  assert {
    condition     = one(output.container.command) == "stream" && output.container.environment[index(output.container.environment[*].name, "CATALOGIZER_STREAMS__HEALTH__PORT")].value == "8081" && join(" ", output.container.healthCheck.command) == "CMD python -m cli.health 8081 --live"
    error_message = "a stream worker, judged by whether it lives"
  }

  assert {
    condition     = aws_ecs_service.this.desired_count == 2 && aws_ecs_service.this.network_configuration[0].security_groups == toset(["sg-p"]) && !output.scaled
    error_message = "without a measure of lag their number stays"
  }
}

run "projector" {
  module {
    source = "./modules/projector"
  }

  assert {
    condition     = one(output.container.command) == "project" && output.container.environment[index(output.container.environment[*].name, "CATALOGIZER_STREAMS__PROJECTOR_HEALTH__PORT")].value == "8081" && output.container.readonlyRootFilesystem
    error_message = "a projector"
  }

  assert {
    condition     = aws_ecs_service.this.launch_type == "FARGATE" && aws_ecs_service.this.deployment_maximum_percent == 200
    error_message = "on Fargate, a new one before an old one goes"
  }
}

run "more_workers_than_lanes_are_refused" {
  command = plan

  variables {
    max_count = 13
  }

  module {
    source = "./modules/streams"
  }

  expect_failures = [var.max_count]
}

run "a_secret_in_the_environment_is_refused" {
  command = plan

  variables {
    environment = { CATALOGIZER_KAFKA__SASL_PASSWORD = "in the clear" }
  }

  module {
    source = "./modules/projector"
  }

  expect_failures = [var.environment]
}
