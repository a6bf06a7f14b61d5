variable "name" {
  description = "Name of the installation; the names of all resources begin with it."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,20}[a-z0-9]$", var.name))
    error_message = "3 to 22 lower-case letters, digits and hyphens, beginning with a letter."
  }
}

variable "kafka_secret_prefix" {
  description = "Prefix of the names of Kafka's secrets: MSK accepts only AmazonMSK_."
  type        = string
  default     = "AmazonMSK_"
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9_/-]+$", var.kafka_secret_prefix))
    error_message = "Letters, digits, _, / and -."
  }
}

variable "components" {
  description = "Components that sign in to Kafka, each with its own password."
  type        = set(string)

  validation {
    condition     = length(var.components) > 0 && alltrue([for name in var.components : can(regex("^[a-z]+$", name))])
    error_message = "Names of components."
  }
}

variable "database_roles" {
  description = "Database roles whose passwords are here; the owner's is managed by RDS."
  type        = set(string)
  default     = ["catalogizer_project", "catalogizer_serve"]
  nullable    = false

  validation {
    condition     = alltrue([for name in var.database_roles : can(regex("^catalogizer_[a-z]+$", name))])
    error_message = "Names of the platform's roles, which begin with catalogizer_."
  }
}

variable "generate" {
  description = "Generate the values: they are written to the secrets, and neither to the state nor to a plan. False: they are taken from var.given."
  type        = bool
  default     = true
  nullable    = false
}

variable "given" {
  description = "Your own values if generate is false: kafka/COMPONENT, database/ROLE, token, admin. Required at every plan and apply, because they are not stored."
  type        = map(string)
  default     = {}
  nullable    = false
  ephemeral   = true
  sensitive   = true

  validation {
    condition     = alltrue([for value in values(var.given) : length(value) >= 16])
    error_message = "16 characters at least each."
  }
}

variable "versions" {
  description = "Number of each value's version, by the names of var.given; a higher number generates that value again. Values that are not named have version 1."
  type        = map(number)
  default     = {}
  nullable    = false

  validation {
    condition     = alltrue([for value in values(var.versions) : value >= 1 && floor(value) == value])
    error_message = "Whole numbers from 1."
  }
}

variable "recovery_days" {
  description = "Days for which a deleted secret can be restored; 0: none, so that its name is free at once."
  type        = number
  default     = 30
  nullable    = false

  validation {
    condition     = var.recovery_days >= 0 && var.recovery_days <= 30 && floor(var.recovery_days) == var.recovery_days
    error_message = "A whole number from 0 to 30."
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
