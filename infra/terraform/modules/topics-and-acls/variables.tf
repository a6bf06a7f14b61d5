variable "name" {
  description = "Name of the installation; the names of all resources begin with it."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,20}[a-z0-9]$", var.name))
    error_message = "3 to 22 lower-case letters, digits and hyphens, beginning with a letter."
  }
}

variable "topic_prefix" {
  description = "Prefix of every topic, group and transactional id (CATALOGIZER_KAFKA__TOPIC_PREFIX)."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = can(regex("^([a-z0-9][a-z0-9-]*\\.)?$", var.topic_prefix))
    error_message = "Lower-case letters, digits and hyphens with a dot at the end, or nothing."
  }
}

variable "lanes" {
  description = "Lanes of the log: partitions of the topics that have one for each. Fixed for the life of the log."
  type        = number
  default     = 12
  nullable    = false

  validation {
    condition     = var.lanes >= 1 && var.lanes <= 1024 && floor(var.lanes) == var.lanes
    error_message = "A whole number from 1 to 1024."
  }
}

variable "replication_factor" {
  description = "Copies of each partition."
  type        = number
  default     = 3
  nullable    = false

  validation {
    condition     = var.replication_factor >= 1 && var.replication_factor <= 15 && floor(var.replication_factor) == var.replication_factor
    error_message = "A whole number from 1 to 15."
  }
}
