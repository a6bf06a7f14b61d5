variable "name" {
  description = "Name of the installation; the names of all resources begin with it."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,20}[a-z0-9]$", var.name))
    error_message = "3 to 22 lower-case letters, digits and hyphens, beginning with a letter."
  }
}

variable "cluster_arn" {
  description = "ECS cluster that it runs in."
  type        = string

  validation {
    condition     = can(regex("^arn:[a-z-]+:ecs:", var.cluster_arn))
    error_message = "An ARN of the service ecs."
  }
}

variable "cluster_name" {
  description = "Name of that cluster."
  type        = string

  validation {
    condition     = can(regex("^[A-Za-z0-9_-]+$", var.cluster_name))
    error_message = "A name."
  }
}

variable "image" {
  description = "The platform's image. Name it by digest, so that exactly the tested image runs."
  type        = string

  validation {
    condition     = can(regex("^[^:@ ]+(:[0-9]+)?[^ ]*(:|@sha256:)[A-Za-z0-9._-]+$", var.image))
    error_message = "registry/name:tag or registry/name@sha256:digest."
  }
}

variable "cpu_architecture" {
  description = "Processor architecture that the image was built for."
  type        = string
  default     = "X86_64"
  nullable    = false

  validation {
    condition     = contains(["X86_64", "ARM64"], var.cpu_architecture)
    error_message = "X86_64 or ARM64."
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

variable "security_group_ids" {
  description = "Additional security groups of its processes."
  type        = list(string)

  validation {
    condition     = alltrue([for id in var.security_group_ids : startswith(id, "sg-")])
    error_message = "Ids that begin with sg-."
  }
}

variable "execution_role_arn" {
  description = "Role by which ECS fetches the image and the secrets."
  type        = string

  validation {
    condition     = can(regex("^arn:[a-z-]+:iam:", var.execution_role_arn))
    error_message = "An ARN of the service iam."
  }
}

variable "task_role_arn" {
  description = "Role of the process itself."
  type        = string

  validation {
    condition     = can(regex("^arn:[a-z-]+:iam:", var.task_role_arn))
    error_message = "An ARN of the service iam."
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

variable "environment" {
  description = "Settings of the platform: variable to value. They must not contain secrets."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = alltrue([for key in keys(var.environment) : startswith(key, "CATALOGIZER_") && !can(regex("PASSWORD|SECRET", key))])
    error_message = "Names begin with CATALOGIZER_; put passwords and secrets into var.secrets."
  }
}

variable "secrets" {
  description = "Secret settings: variable to the value that ECS fetches at each start, the ARN of a secret or ARN:KEY::."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = alltrue([for value in values(var.secrets) : can(regex("^arn:[a-z-]+:(secretsmanager|ssm):", value))])
    error_message = "ARNs of Secrets Manager or of the parameter store."
  }
}

variable "secret_files" {
  description = "Secrets that a setting names as a file: variable by which ECS passes the secret to the file's path, below /tmp, and the secret's ARN."
  type        = map(object({ path = string, arn = string }))
  default     = {}
  nullable    = false

  validation {
    condition     = alltrue([for name, file in var.secret_files : can(regex("^[A-Z][A-Z_]*$", name)) && startswith(file.path, "/tmp/") && can(regex("^arn:[a-z-]+:(secretsmanager|ssm):", file.arn))])
    error_message = "Upper-case names; paths below /tmp; ARNs of Secrets Manager or of the parameter store."
  }
}

variable "min_count" {
  description = "Least number of stream workers."
  type        = number
  default     = 2
  nullable    = false

  validation {
    condition     = var.min_count >= 1 && var.min_count <= 1024 && floor(var.min_count) == var.min_count
    error_message = "A whole number from 1 to 1024."
  }
}

variable "max_count" {
  description = "Greatest number of stream workers: at most the number of lanes, because a lane has one at a time."
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

variable "cpu" {
  description = "Processor of a task, in 1024ths."
  type        = number
  default     = 2048
  nullable    = false

  validation {
    condition     = contains([256, 512, 1024, 2048, 4096, 8192, 16384], var.cpu)
    error_message = "One of Fargate's: 256, 512, 1024, 2048, 4096, 8192, 16384."
  }
}

variable "memory" {
  description = "Memory of a task, MiB."
  type        = number
  default     = 4096
  nullable    = false

  validation {
    condition     = var.memory >= 512 && var.memory <= 122880 && floor(var.memory) == var.memory
    error_message = "A whole number from 512 to 122880."
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
