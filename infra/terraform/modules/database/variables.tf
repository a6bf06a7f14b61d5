variable "name" {
  description = "Name of the installation; the names of all resources begin with it."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,20}[a-z0-9]$", var.name))
    error_message = "3 to 22 lower-case letters, digits and hyphens, beginning with a letter."
  }
}

variable "vpc_id" {
  description = "The network."
  type        = string

  validation {
    condition     = startswith(var.vpc_id, "vpc-")
    error_message = "An id that begins with vpc-."
  }
}

variable "private_subnet_ids" {
  description = "Its subnets, each in a different zone."
  type        = list(string)

  validation {
    condition     = length(var.private_subnet_ids) >= 2 && alltrue([for id in var.private_subnet_ids : startswith(id, "subnet-")])
    error_message = "Two subnets at least, ids that begin with subnet-."
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

variable "client_security_groups" {
  description = "Security groups that may reach it: name to id."
  type        = map(string)

  validation {
    condition     = alltrue([for id in values(var.client_security_groups) : startswith(id, "sg-")])
    error_message = "Ids that begin with sg-."
  }
}

variable "engine_version" {
  description = "Version of PostgreSQL."
  type        = string
  default     = "17"
  nullable    = false

  validation {
    condition     = can(regex("^1[5-9](\\.[0-9]+)?$", var.engine_version))
    error_message = "15 or newer."
  }
}

variable "instance_class" {
  description = "Size of the server. A quarter of its memory is shared buffers; searches are fast if the rows are in them."
  type        = string
  default     = "db.m7g.large"
  nullable    = false

  validation {
    condition     = can(regex("^db\\.", var.instance_class))
    error_message = "Begins with db."
  }
}

variable "multi_az" {
  description = "A standby in another zone, which takes over by itself within two minutes."
  type        = bool
  default     = true
  nullable    = false
}

variable "storage_gib" {
  description = "Initial size of the disk, GiB."
  type        = number
  default     = 50
  nullable    = false

  validation {
    condition     = var.storage_gib >= 20 && var.storage_gib <= 65536 && floor(var.storage_gib) == var.storage_gib
    error_message = "A whole number from 20 to 65536."
  }
}

variable "max_storage_gib" {
  description = "Size up to which the disk grows by itself, GiB."
  type        = number
  default     = 500
  nullable    = false

  validation {
    condition     = var.max_storage_gib >= var.storage_gib * 1.1
    error_message = "At least a tenth more than storage_gib: RDS requires that."
  }
}

variable "backup_days" {
  description = "Days for which backups are kept. Accounts are only in the database; everything else can be rebuilt from the log."
  type        = number
  default     = 14
  nullable    = false

  validation {
    condition     = var.backup_days >= 7 && var.backup_days <= 35 && floor(var.backup_days) == var.backup_days
    error_message = "A whole number from 7 to 35."
  }
}

variable "rotation_days" {
  description = "Days after which RDS changes the owner's password. Only one-shot tasks use it, and they fetch it at each start."
  type        = number
  default     = 7
  nullable    = false

  validation {
    condition     = var.rotation_days >= 1 && var.rotation_days <= 90 && floor(var.rotation_days) == var.rotation_days
    error_message = "A whole number from 1 to 90."
  }
}

variable "deletion_protection" {
  description = "Refuse to delete it."
  type        = bool
  default     = true
  nullable    = false
}

variable "skip_final_snapshot" {
  description = "Delete it without a final snapshot."
  type        = bool
  default     = false
  nullable    = false
}

variable "ca_file" {
  description = "PEM file in the image with RDS's certificates, by which clients verify the server. Unset: encrypted, but the server is not verified."
  type        = string
  default     = null

  validation {
    condition     = var.ca_file == null || can(regex("^/", var.ca_file))
    error_message = "An absolute path."
  }
}

variable "log_retention_days" {
  description = "Days for which logs are kept."
  type        = number
  default     = 365
  nullable    = false

  validation {
    condition     = contains([30, 60, 90, 180, 365, 400, 731, 1827, 3653], var.log_retention_days)
    error_message = "One of CloudWatch's: 30, 60, 90, 180, 365, 400, 731, 1827, 3653."
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
