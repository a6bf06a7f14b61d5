# Alarms, one by one.

mock_provider "aws" {
  source = "./tests/mocks"
}

run "alarms" {
  variables {
    name               = "media"
    kms_key_arn        = "arn:aws:kms:eu-central-1:123456789012:key/k"
    alarm_emails       = ["a@example.com"]
    lag_metrics        = { stream = [{ namespace = "AWS/Kafka", name = "EstimatedMaxTimeLag", dimensions = { "Topic" = "a" } }] }
    kafka_cluster_name = "media"
    kafka_brokers      = 3
    database_id        = "media"
    load_balancer      = { arn_suffix = "app/c/1", target_group_arn_suffix = "targetgroup/c/1" }
    services           = { stream = { cluster_name = "c", service_name = "media-stream", min_count = 2 } }
  }

  module {
    source = "./modules/observability"
  }

  assert {
    condition = toset(output.alarms) == toset([
      "media-stream-behind", "media-stream-missing", "media-kafka-offline-partitions", "media-kafka-no-controller",
      "media-kafka-disk-1", "media-kafka-disk-2", "media-kafka-disk-3",
      "media-kafka-under-replicated-1", "media-kafka-under-replicated-2", "media-kafka-under-replicated-3",
      "media-database-storage", "media-database-cpu", "media-database-connections",
      "media-gateway-errors", "media-gateway-refused", "media-gateway-unhealthy",
    ])
    error_message = "an alarm for each thing that wakes somebody"
  }

  assert {
    condition     = alltrue([for alarm in merge(aws_cloudwatch_metric_alarm.lag, aws_cloudwatch_metric_alarm.kafka, aws_cloudwatch_metric_alarm.database) : alarm.alarm_actions == toset([aws_sns_topic.this.arn]) && alarm.ok_actions == toset([aws_sns_topic.this.arn])])
    error_message = "each tells when it begins and when it is over"
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.lag["stream"].threshold == 300 && aws_cloudwatch_metric_alarm.lag["stream"].evaluation_periods == 15 && aws_cloudwatch_metric_alarm.kafka["offline-partitions"].threshold == 0
    error_message = "lag in seconds that lasts; one partition without a leader"
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.kafka_broker["disk-2"].dimensions == tomap({ "Cluster Name" = "media", "Broker ID" = "2" }) && aws_cloudwatch_metric_alarm.kafka_broker["disk-2"].threshold == 80
    error_message = "disks broker by broker"
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.service["stream"].threshold == 2 && aws_cloudwatch_metric_alarm.service["stream"].treat_missing_data == "breaching" && aws_cloudwatch_metric_alarm.load_balancer["unhealthy"].treat_missing_data == "breaching"
    error_message = "silence of what must run is an alarm"
  }

  assert {
    condition     = aws_sns_topic.this.kms_master_key_id == var.kms_key_arn && aws_sns_topic_subscription.email["a@example.com"].protocol == "email" && length(jsondecode(aws_cloudwatch_dashboard.this.dashboard_body).widgets) == 3 && aws_sns_topic_policy.this.arn == aws_sns_topic.this.arn
    error_message = "one encrypted topic, and a dashboard"
  }
}
