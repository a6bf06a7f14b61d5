variable "name" {
  description = "Name of the installation; the names of all resources begin with it."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,20}[a-z0-9]$", var.name))
    error_message = "3 to 22 lower-case letters, digits and hyphens, beginning with a letter."
  }
}

variable "secret_arns" {
  description = "Secrets that ECS may fetch for each component's tasks: component to ARNs."
  type        = map(list(string))

  validation {
    condition     = alltrue([for arn in flatten(values(var.secret_arns)) : can(regex("^arn:[a-z-]+:secretsmanager:", arn))])
    error_message = "ARNs of secrets."
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

variable "log_group_arns" {
  description = "Log groups that each component's tasks write to: component to ARNs."
  type        = map(list(string))

  validation {
    condition     = alltrue([for arn in flatten(values(var.log_group_arns)) : can(regex("^arn:[a-z-]+:logs:", arn))])
    error_message = "ARNs of log groups."
  }
}

variable "kafka_rights" {
  description = "Permissions in Kafka, from module topics-and-acls: component to names of topics, groups and transactional ids."
  type = map(object({
    reads        = list(string)
    writes       = list(string)
    groups       = list(string)
    transactions = list(string)

    describes        = list(string)
    describes_groups = list(string)
  }))

  validation {
    condition     = length(var.kafka_rights) > 0
    error_message = "The table of module topics-and-acls."
  }
}

variable "kafka_cluster_arn" {
  description = "MSK cluster to which the policies apply."
  type        = string
  default     = null

  validation {
    condition     = var.kafka_cluster_arn == null || can(regex("^arn:[a-z-]+:kafka:", var.kafka_cluster_arn))
    error_message = "An ARN of the service kafka."
  }
}

variable "analyst_topics" {
  description = "Topics that analysts may read, by their names in the cluster; none: no such policy."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for topic in var.analyst_topics : can(regex("^[A-Za-z0-9._-]+$", topic))])
    error_message = "Names of topics."
  }
}

variable "analyst_groups" {
  description = "Groups that analysts may use, `*` at the end for all with that prefix."
  type        = string
  default     = "analytics.*"
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9._-]+\\*?$", var.analyst_groups))
    error_message = "A name, perhaps with * at its end."
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

variable "make_bootstrap_role" {
  description = "Give the task of component bootstrap the administrator's policy of MSK, by which it gives the operator its permissions."
  type        = bool
  default     = false
  nullable    = false
}

variable "kafka_policies" {
  description = "Create the policies for MSK's IAM access. (Separate from the cluster's ARN, which is known only after it was created.)"
  type        = bool
  default     = false
  nullable    = false
}
