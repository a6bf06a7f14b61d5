# Alarms: a component with a lag, brokers and a database that are degraded or nearly full, a gateway that answers with errors, a
# missing process. Alarms are sent to one topic; the operator decides who subscribes to it.

locals {
  actions = [aws_sns_topic.this.arn]

  kafka = var.kafka_cluster_name == null ? {} : {
    offline-partitions = {
      metric = "OfflinePartitionsCount", statistic = "Maximum", comparison = "GreaterThanThreshold", threshold = 0, periods = 1
      text   = "partitions without a leader: nobody reads or writes them"
    }
    no-controller = {
      metric = "ActiveControllerCount", statistic = "Maximum", comparison = "LessThanThreshold", threshold = 1, periods = 5
      text   = "brokers have no controller"
    }
  }

  # CloudWatch requires exactly the reported dimensions: these metrics are reported by broker.
  kafka_by_broker = var.kafka_cluster_name == null ? {} : {
    disk             = { metric = "KafkaDataLogsDiskUsed", threshold = var.kafka_disk_percent, text = "the disk fills faster than it grows" }
    under-replicated = { metric = "UnderMinIsrPartitionCount", threshold = 0, text = "partitions with too few replicas in step: writes are refused" }
  }
  kafka_brokers = merge([
    for name, alarm in local.kafka_by_broker : {
      for broker in range(1, var.kafka_brokers + 1) : "${name}-${broker}" => merge(alarm, { broker = tostring(broker) })
    }
  ]...)

  database = var.database_id == null ? {} : {
    storage     = { metric = "FreeStorageSpace", statistic = "Minimum", comparison = "LessThanThreshold", threshold = var.database_free_gib * 1024 * 1024 * 1024, text = "disk is nearly full" }
    cpu         = { metric = "CPUUtilization", statistic = "Average", comparison = "GreaterThanThreshold", threshold = 90, text = "processors are busy for a quarter of an hour" }
    connections = { metric = "DatabaseConnections", statistic = "Maximum", comparison = "GreaterThanThreshold", threshold = 400, text = "many connections" }
  }

  load_balancer = var.load_balancer == null ? {} : {
    errors    = { metric = "HTTPCode_Target_5XX_Count", statistic = "Sum", period = 300, comparison = "GreaterThanThreshold", threshold = var.errors_per_five_minutes, text = "gateways answer with errors", group = true }
    refused   = { metric = "HTTPCode_ELB_5XX_Count", statistic = "Sum", period = 300, comparison = "GreaterThanThreshold", threshold = var.errors_per_five_minutes, text = "the load balancer reaches no gateway", group = false }
    unhealthy = { metric = "HealthyHostCount", statistic = "Minimum", period = 60, comparison = "LessThanThreshold", threshold = 1, text = "no gateway is ready", group = true }
  }
}

data "aws_caller_identity" "current" {}

data "aws_region" "current" {}

resource "aws_sns_topic" "this" {
  name              = "${var.name}-alarms"
  kms_master_key_id = var.kms_key_arn
  tags              = var.tags
}

data "aws_iam_policy_document" "topic" {
  statement {
    sid       = "Alarms"
    actions   = ["sns:Publish"]
    resources = [aws_sns_topic.this.arn]
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

resource "aws_sns_topic_policy" "this" {
  arn    = aws_sns_topic.this.arn
  policy = data.aws_iam_policy_document.topic.json
}

resource "aws_sns_topic_subscription" "email" {
  for_each = toset(var.alarm_emails)

  topic_arn = aws_sns_topic.this.arn
  protocol  = "email"
  endpoint  = each.value
}

resource "aws_cloudwatch_metric_alarm" "lag" {
  for_each = { for component, metrics in var.lag_metrics : component => metrics if length(metrics) > 0 }

  alarm_name          = "${var.name}-${each.key}-behind"
  alarm_description   = "${each.key} is behind by more than ${var.lag_seconds} s for a quarter of an hour"
  comparison_operator = "GreaterThanThreshold"
  threshold           = var.lag_seconds
  evaluation_periods  = 15
  treat_missing_data  = "notBreaching" # there is another alarm for a missing process
  alarm_actions       = local.actions
  ok_actions          = local.actions
  tags                = var.tags

  metric_query {
    id          = "worst"
    expression  = "MAX([${join(",", [for index, metric in each.value : "m${index}"])}])"
    label       = "seconds behind"
    return_data = true
  }

  dynamic "metric_query" {
    for_each = each.value
    content {
      id          = "m${metric_query.key}"
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

resource "aws_cloudwatch_metric_alarm" "kafka" {
  for_each = local.kafka

  alarm_name          = "${var.name}-kafka-${each.key}"
  alarm_description   = "Kafka: ${each.value.text}"
  namespace           = "AWS/Kafka"
  metric_name         = each.value.metric
  dimensions          = { "Cluster Name" = var.kafka_cluster_name }
  statistic           = each.value.statistic
  period              = 60
  evaluation_periods  = each.value.periods
  comparison_operator = each.value.comparison
  threshold           = each.value.threshold
  treat_missing_data  = "notBreaching"
  alarm_actions       = local.actions
  ok_actions          = local.actions
  tags                = var.tags
}

resource "aws_cloudwatch_metric_alarm" "kafka_broker" {
  for_each = local.kafka_brokers

  alarm_name          = "${var.name}-kafka-${each.key}"
  alarm_description   = "Kafka, broker ${each.value.broker}: ${each.value.text}"
  namespace           = "AWS/Kafka"
  metric_name         = each.value.metric
  dimensions          = { "Cluster Name" = var.kafka_cluster_name, "Broker ID" = each.value.broker }
  statistic           = "Maximum"
  period              = 60
  evaluation_periods  = 5
  comparison_operator = "GreaterThanThreshold"
  threshold           = each.value.threshold
  treat_missing_data  = "notBreaching"
  alarm_actions       = local.actions
  ok_actions          = local.actions
  tags                = var.tags
}

resource "aws_cloudwatch_metric_alarm" "database" {
  for_each = local.database

  alarm_name          = "${var.name}-database-${each.key}"
  alarm_description   = "PostgreSQL: ${each.value.text}"
  namespace           = "AWS/RDS"
  metric_name         = each.value.metric
  dimensions          = { DBInstanceIdentifier = var.database_id }
  statistic           = each.value.statistic
  period              = 300
  evaluation_periods  = 3
  comparison_operator = each.value.comparison
  threshold           = each.value.threshold
  treat_missing_data  = "missing"
  alarm_actions       = local.actions
  ok_actions          = local.actions
  tags                = var.tags
}

resource "aws_cloudwatch_metric_alarm" "load_balancer" {
  for_each = local.load_balancer

  alarm_name          = "${var.name}-gateway-${each.key}"
  alarm_description   = "Gateway: ${each.value.text}"
  namespace           = "AWS/ApplicationELB"
  metric_name         = each.value.metric
  statistic           = each.value.statistic
  period              = each.value.period
  evaluation_periods  = each.value.period == 60 ? 3 : 1
  comparison_operator = each.value.comparison
  threshold           = each.value.threshold
  treat_missing_data  = each.key == "unhealthy" ? "breaching" : "notBreaching"
  alarm_actions       = local.actions
  ok_actions          = local.actions
  tags                = var.tags

  dimensions = merge(
    { LoadBalancer = var.load_balancer.arn_suffix },
    each.value.group ? { TargetGroup = var.load_balancer.target_group_arn_suffix } : {},
  )
}

resource "aws_cloudwatch_metric_alarm" "service" {
  for_each = var.services

  alarm_name          = "${var.name}-${each.key}-missing"
  alarm_description   = "fewer than ${each.value.min_count} tasks of ${each.key} run"
  namespace           = "ECS/ContainerInsights"
  metric_name         = "RunningTaskCount"
  dimensions          = { ClusterName = each.value.cluster_name, ServiceName = each.value.service_name }
  statistic           = "Minimum"
  period              = 60
  evaluation_periods  = 10
  comparison_operator = "LessThanThreshold"
  threshold           = each.value.min_count
  treat_missing_data  = "breaching"
  alarm_actions       = local.actions
  ok_actions          = local.actions
  tags                = var.tags
}

resource "aws_cloudwatch_dashboard" "this" {
  dashboard_name = var.name
  dashboard_body = jsonencode({
    widgets = concat(
      [for index, component in keys(var.lag_metrics) : {
        type = "metric", x = (index % 2) * 12, y = floor(index / 2) * 6, width = 12, height = 6
        properties = {
          title   = "${component}: seconds behind", region = data.aws_region.current.name, stat = "Maximum", period = 60
          metrics = [for metric in var.lag_metrics[component] : concat([metric.namespace, metric.name], flatten([for name, value in metric.dimensions : [name, value]]))]
        }
      }],
      var.load_balancer == null ? [] : [{
        type = "metric", x = 0, y = 6, width = 12, height = 6
        properties = {
          title   = "gateway: connections and errors", region = data.aws_region.current.name, stat = "Sum", period = 60
          metrics = [for metric in ["ActiveConnectionCount", "HTTPCode_Target_5XX_Count", "HTTPCode_ELB_5XX_Count"] : ["AWS/ApplicationELB", metric, "LoadBalancer", var.load_balancer.arn_suffix]]
        }
      }],
      var.database_id == null ? [] : [{
        type = "metric", x = 12, y = 6, width = 12, height = 6
        properties = {
          title   = "PostgreSQL", region = data.aws_region.current.name, stat = "Average", period = 300
          metrics = [for metric in ["CPUUtilization", "DatabaseConnections", "FreeStorageSpace"] : ["AWS/RDS", metric, "DBInstanceIdentifier", var.database_id]]
        }
      }],
    )
  })
}
