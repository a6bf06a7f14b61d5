variable "name" {
  description = "Name of the service; begins the names of alarms."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,60}$", var.name))
    error_message = "Lower-case letters, digits and hyphens."
  }
}

variable "cluster_name" {
  description = "ECS cluster of the service."
  type        = string

  validation {
    condition     = can(regex("^[A-Za-z0-9_-]+$", var.cluster_name))
    error_message = "A name."
  }
}

variable "service_name" {
  description = "The service."
  type        = string

  validation {
    condition     = can(regex("^[A-Za-z0-9_-]+$", var.service_name))
    error_message = "A name."
  }
}

variable "min_count" {
  description = "Least number of tasks."
  type        = number
  default     = 2
  nullable    = false

  validation {
    condition     = var.min_count >= 1 && var.min_count <= 1024 && floor(var.min_count) == var.min_count
    error_message = "A whole number from 1 to 1024."
  }
}

variable "max_count" {
  description = "Greatest number of tasks: at most the number of lanes, because a lane has one at a time."
  type        = number
  default     = 6
  nullable    = false

  validation {
    condition     = var.max_count >= var.min_count && var.max_count <= var.lanes
    error_message = "Not less than min_count and not more than lanes."
  }
}

variable "lanes" {
  description = "Lanes of the log (CATALOGIZER_KAFKA__LANES)."
  type        = number
  default     = 12
  nullable    = false

  validation {
    condition     = var.lanes >= 1 && var.lanes <= 1024 && floor(var.lanes) == var.lanes
    error_message = "A whole number from 1 to 1024."
  }
}

variable "lag_metrics" {
  description = "CloudWatch metrics of the lag of its groups in seconds; the greatest decides. None: the number of tasks stays at min_count."
  type = list(object({
    namespace  = string
    name       = string
    dimensions = map(string)
  }))
  default  = []
  nullable = false

  validation {
    condition     = length(var.lag_metrics) <= 9
    error_message = "Nine at most: an alarm of CloudWatch reads ten."
  }
}

variable "scale_out_lag_seconds" {
  description = "Lag above which a task is added."
  type        = number
  default     = 60
  nullable    = false

  validation {
    condition     = var.scale_out_lag_seconds >= 5 && var.scale_out_lag_seconds <= 86400 && floor(var.scale_out_lag_seconds) == var.scale_out_lag_seconds
    error_message = "A whole number from 5 to 86400."
  }
}

variable "scale_in_lag_seconds" {
  description = "Lag below which, for a quarter of an hour, a task is removed."
  type        = number
  default     = 5
  nullable    = false

  validation {
    condition     = var.scale_in_lag_seconds >= 0 && var.scale_in_lag_seconds < var.scale_out_lag_seconds
    error_message = "Less than scale_out_lag_seconds."
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
