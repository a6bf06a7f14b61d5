# Scales the number of a service's tasks on its lag in seconds. MSK reports the lag of every group that commits its offsets
# (EstimatedMaxTimeLag); the platform's workers need no setting when their number changes, because their names are leased and
# the lanes are distributed. Step scaling, not target tracking: twice the workers do not halve the lag, and each change moves lanes.

locals {
  scaled  = length(var.lag_metrics) > 0
  metrics = { for index, metric in var.lag_metrics : "m${index}" => metric }
  worst   = "MAX([${join(",", keys(local.metrics))}])"

  alarms = local.scaled ? {
    out = {
      comparison  = "GreaterThanThreshold"
      threshold   = var.scale_out_lag_seconds
      periods     = 3
      policy_arn  = aws_appautoscaling_policy.out[0].arn
      description = "behind by more than ${var.scale_out_lag_seconds} s: a task more"
    }
    in = {
      comparison  = "LessThanThreshold"
      threshold   = var.scale_in_lag_seconds
      periods     = 15
      policy_arn  = aws_appautoscaling_policy.in[0].arn
      description = "behind by less than ${var.scale_in_lag_seconds} s for a quarter of an hour: a task less"
    }
  } : {}
}

resource "aws_appautoscaling_target" "this" {
  service_namespace  = "ecs"
  resource_id        = "service/${var.cluster_name}/${var.service_name}"
  scalable_dimension = "ecs:service:DesiredCount"
  min_capacity       = var.min_count
  max_capacity       = var.max_count
  tags               = var.tags
}

resource "aws_appautoscaling_policy" "out" {
  count = local.scaled ? 1 : 0

  name               = "${var.name}-out"
  policy_type        = "StepScaling"
  service_namespace  = aws_appautoscaling_target.this.service_namespace
  resource_id        = aws_appautoscaling_target.this.resource_id
  scalable_dimension = aws_appautoscaling_target.this.scalable_dimension

  step_scaling_policy_configuration {
    adjustment_type         = "ChangeInCapacity"
    cooldown                = 300 # a new worker reads the state of its lanes first
    metric_aggregation_type = "Maximum"

    step_adjustment {
      metric_interval_lower_bound = "0"
      metric_interval_upper_bound = tostring(9 * var.scale_out_lag_seconds)
      scaling_adjustment          = 1
    }

    step_adjustment {
      metric_interval_lower_bound = tostring(9 * var.scale_out_lag_seconds)
      scaling_adjustment          = 2
    }
  }
}

resource "aws_appautoscaling_policy" "in" {
  count = local.scaled ? 1 : 0

  name               = "${var.name}-in"
  policy_type        = "StepScaling"
  service_namespace  = aws_appautoscaling_target.this.service_namespace
  resource_id        = aws_appautoscaling_target.this.resource_id
  scalable_dimension = aws_appautoscaling_target.this.scalable_dimension

  step_scaling_policy_configuration {
    adjustment_type         = "ChangeInCapacity"
    cooldown                = 900
    metric_aggregation_type = "Maximum"

    step_adjustment {
      metric_interval_upper_bound = "0"
      scaling_adjustment          = -1
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "lag" {
  for_each = local.alarms

  alarm_name          = "${var.name}-lag-${each.key}"
  alarm_description   = "${var.name} is ${each.value.description}"
  comparison_operator = each.value.comparison
  threshold           = each.value.threshold
  evaluation_periods  = each.value.periods
  treat_missing_data  = "ignore" # there is no metric of a group while it rebalances
  alarm_actions       = [each.value.policy_arn]
  tags                = var.tags

  metric_query {
    id          = "worst"
    expression  = local.worst
    label       = "seconds behind"
    return_data = true
  }

  dynamic "metric_query" {
    for_each = local.metrics
    content {
      id          = metric_query.key
      return_data = false

      metric {
        namespace   = metric_query.value.namespace
        metric_name = metric_query.value.name
        dimensions  = metric_query.value.dimensions
        period      = 60
        stat        = "Maximum"
      }
    }
  }
}
