variable "name" {
  description = "Name of the installation; begins the names of what is made."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,20}[a-z0-9]$", var.name))
    error_message = "3 to 22 lower-case letters, digits and hyphens, beginning with a letter."
  }
}

variable "kafka_secret_prefix" {
  description = "Begins the names of Kafka's secrets: MSK takes AmazonMSK_ only."
  type        = string
  default     = "AmazonMSK_"
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9_/-]+$", var.kafka_secret_prefix))
    error_message = "Letters, digits, _, / and -."
  }
}

variable "components" {
  description = "Components that sign in to Kafka with a password of their own."
  type        = set(string)

  validation {
    condition     = length(var.components) > 0 && alltrue([for name in var.components : can(regex("^[a-z]+$", name))])
    error_message = "Names of components."
  }
}

variable "database_roles" {
  description = "Roles of the database with a password that stands here; the owner's is RDS's own."
  type        = set(string)
  default     = ["catalogizer_project", "catalogizer_serve"]
  nullable    = false

  validation {
    condition     = alltrue([for name in var.database_roles : can(regex("^catalogizer_[a-z]+$", name))])
    error_message = "Names of the platform's roles, which begin with catalogizer_."
  }
}

variable "generate" {
  description = "Make the values: they go into the secrets, and neither into the state nor into a plan. False: they are var.given."
  type        = bool
  default     = true
  nullable    = false
}

variable "given" {
  description = "Values of one's own where generate is false: kafka/COMPONENT, database/ROLE, token, admin. Given at every plan and apply, for they are kept nowhere."
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
  description = "Number of each value's version, by the names of var.given; a higher one makes that value anew. Those that are not named have 1."
  type        = map(number)
  default     = {}
  nullable    = false

  validation {
    condition     = alltrue([for value in values(var.versions) : value >= 1 && floor(value) == value])
    error_message = "Whole numbers from 1."
  }
}

variable "recovery_days" {
  description = "Days that a deleted secret can be restored; 0: none, and its name is free at once."
  type        = number
  default     = 30
  nullable    = false

  validation {
    condition     = var.recovery_days >= 0 && var.recovery_days <= 30 && floor(var.recovery_days) == var.recovery_days
    error_message = "A whole number from 0 to 30."
  }
}

variable "tags" {
  description = "Tags of everything that is made."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = alltrue([for key in keys(var.tags) : !startswith(key, "aws:")])
    error_message = "Tags that begin with aws: are AWS's own."
  }
}
