output "topic_arn" {
  description = "The SNS topic of the alarms."
  value       = aws_sns_topic.this.arn
}

output "alarms" {
  description = "Names of all alarms."
  value = sort(concat(
    values(aws_cloudwatch_metric_alarm.lag)[*].alarm_name,
    values(aws_cloudwatch_metric_alarm.kafka)[*].alarm_name,
    values(aws_cloudwatch_metric_alarm.kafka_broker)[*].alarm_name,
    values(aws_cloudwatch_metric_alarm.database)[*].alarm_name,
    values(aws_cloudwatch_metric_alarm.load_balancer)[*].alarm_name,
    values(aws_cloudwatch_metric_alarm.service)[*].alarm_name,
  ))
}
