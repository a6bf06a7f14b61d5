variable "name" {
  description = "Name of the installation; the names of all resources begin with it."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,20}[a-z0-9]$", var.name))
    error_message = "3 to 22 lower-case letters, digits and hyphens, beginning with a letter."
  }
}

variable "kms_key_arn" {
  description = "KMS key for all encryption."
  type        = string

  validation {
    condition     = can(regex("^arn:[a-z-]+:kms:", var.kms_key_arn))
    error_message = "The ARN of a KMS key."
  }
}

variable "alarm_emails" {
  description = "Mail addresses that receive alarms; each confirms its subscription once. For other subscribers, use the topic, which is an output."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for address in var.alarm_emails : can(regex("^[^@ ]+@[^@ ]+$", address))])
    error_message = "E-mail addresses."
  }
}

variable "lag_metrics" {
  description = "Lag of groups in seconds: component to CloudWatch metrics."
  type = map(list(object({
    namespace  = string
    name       = string
    dimensions = map(string)
  })))
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for metrics in values(var.lag_metrics) : length(metrics) <= 9])
    error_message = "Nine for each component at most: an alarm of CloudWatch reads ten."
  }
}

variable "lag_seconds" {
  description = "Lag above which there is an alarm if it lasts a quarter of an hour."
  type        = number
  default     = 300
  nullable    = false

  validation {
    condition     = var.lag_seconds >= 30 && var.lag_seconds <= 86400 && floor(var.lag_seconds) == var.lag_seconds
    error_message = "A whole number from 30 to 86400."
  }
}

variable "kafka_cluster_name" {
  description = "MSK cluster to watch; unset: none."
  type        = string
  default     = null

  validation {
    condition     = var.kafka_cluster_name == null || can(regex("^[A-Za-z0-9_-]+$", var.kafka_cluster_name))
    error_message = "A name."
  }
}

variable "kafka_disk_percent" {
  description = "Use of a broker's disk above which there is an alarm, in percent."
  type        = number
  default     = 80
  nullable    = false

  validation {
    condition     = var.kafka_disk_percent >= 50 && var.kafka_disk_percent <= 95 && floor(var.kafka_disk_percent) == var.kafka_disk_percent
    error_message = "A whole number from 50 to 95."
  }
}

variable "load_balancer" {
  description = "The gateway's load balancer and target group, by their ARN suffixes; unset: none."
  type = object({
    arn_suffix              = string
    target_group_arn_suffix = string
  })
  default = null

  validation {
    condition     = var.load_balancer == null || try(startswith(var.load_balancer.arn_suffix, "app/") && startswith(var.load_balancer.target_group_arn_suffix, "targetgroup/"), false)
    error_message = "app/... and targetgroup/..."
  }
}

variable "errors_per_five_minutes" {
  description = "Answers with 5xx in five minutes beyond which there is an alarm."
  type        = number
  default     = 20
  nullable    = false

  validation {
    condition     = var.errors_per_five_minutes >= 0 && var.errors_per_five_minutes <= 1000000 && floor(var.errors_per_five_minutes) == var.errors_per_five_minutes
    error_message = "A whole number from 0 to 1000000."
  }
}

variable "database_id" {
  description = "RDS instance to watch; unset: none."
  type        = string
  default     = null

  validation {
    condition     = var.database_id == null || can(regex("^[a-z][a-z0-9-]+$", var.database_id))
    error_message = "An identifier."
  }
}

variable "database_free_gib" {
  description = "Free disk space of the database below which there is an alarm, GiB."
  type        = number
  default     = 10
  nullable    = false

  validation {
    condition     = var.database_free_gib >= 1 && var.database_free_gib <= 65536 && floor(var.database_free_gib) == var.database_free_gib
    error_message = "A whole number from 1 to 65536."
  }
}

variable "services" {
  description = "ECS services that should run: component to cluster, service and least number of tasks."
  type = map(object({
    cluster_name = string
    service_name = string
    min_count    = number
  }))
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for service in values(var.services) : service.min_count >= 1])
    error_message = "One task at least each."
  }
}

variable "tags" {
  description = "Tags of all resources."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = alltrue([for key in keys(var.tags) : !startswith(key, "aws:")])
    error_message = "Tags that begin with aws: are AWS's own."
  }
}

variable "kafka_brokers" {
  description = "Brokers of the MSK cluster."
  type        = number
  default     = 3
  nullable    = false

  validation {
    condition     = var.kafka_brokers >= 1 && var.kafka_brokers <= 60 && floor(var.kafka_brokers) == var.kafka_brokers
    error_message = "A whole number from 1 to 60."
  }
}
