variable "name" {
  description = "Name of the task and of its log group."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,60}$", var.name))
    error_message = "Lower-case letters, digits and hyphens."
  }
}

variable "installation" {
  description = "Name of the installation, which begins the name of the log group."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,20}[a-z0-9]$", var.installation))
    error_message = "3 to 22 lower-case letters, digits and hyphens."
  }
}

variable "image" {
  description = "Image of the container. Name it by digest, so that exactly the tested image runs."
  type        = string

  validation {
    condition     = can(regex("^[^:@ ]+(:[0-9]+)?[^ ]*(:|@sha256:)[A-Za-z0-9._-]+$", var.image))
    error_message = "registry/name:tag or registry/name@sha256:digest."
  }
}

variable "command" {
  description = "Arguments after the image's entry point."
  type        = list(string)

  validation {
    condition     = length(var.command) > 0
    error_message = "One word at least."
  }
}

variable "entry_point" {
  description = "Instead of the image's own."
  type        = list(string)
  default     = null

  validation {
    condition     = try(length(var.entry_point) > 0, var.entry_point == null)
    error_message = "One word at least, or null."
  }
}

variable "cpu" {
  description = "Processor of a task, in 1024ths."
  type        = number
  default     = 256
  nullable    = false

  validation {
    condition     = contains([256, 512, 1024, 2048, 4096, 8192, 16384], var.cpu)
    error_message = "One of Fargate's: 256, 512, 1024, 2048, 4096, 8192, 16384."
  }
}

variable "memory" {
  description = "Memory of a task, MiB."
  type        = number
  default     = 512
  nullable    = false

  validation {
    condition     = var.memory >= 512 && var.memory <= 122880 && floor(var.memory) == var.memory
    error_message = "A whole number from 512 to 122880."
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

variable "launch_type" {
  description = "The platform that it runs on."
  type        = string
  default     = "FARGATE"
  nullable    = false

  validation {
    condition     = contains(["FARGATE", "EC2"], var.launch_type)
    error_message = "FARGATE or EC2."
  }
}

variable "environment" {
  description = "Variables and their values. They must not contain secrets."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = alltrue([for key in keys(var.environment) : !can(regex("PASSWORD|SECRET", key))])
    error_message = "Passwords and secrets belong into var.secrets."
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

variable "port" {
  description = "Port that it serves on; 0: none."
  type        = number
  default     = 0
  nullable    = false

  validation {
    condition     = var.port >= 0 && var.port <= 65535 && floor(var.port) == var.port
    error_message = "A whole number from 0 to 65535."
  }
}

variable "health_port" {
  description = "Port of its health endpoint in its container; 0: none."
  type        = number
  default     = 0
  nullable    = false

  validation {
    condition     = var.health_port >= 0 && var.health_port <= 65535 && floor(var.health_port) == var.health_port
    error_message = "A whole number from 0 to 65535."
  }
}

variable "stop_seconds" {
  description = "Time between SIGTERM and SIGKILL."
  type        = number
  default     = 30
  nullable    = false

  validation {
    condition     = var.stop_seconds >= 2 && var.stop_seconds <= 120 && floor(var.stop_seconds) == var.stop_seconds
    error_message = "A whole number from 2 to 120."
  }
}

variable "host_mounts" {
  description = "On EC2, folders of the host: name to the path on the host and in the container."
  type = map(object({
    host_path      = string
    container_path = string
    read_only      = optional(bool, true)
  }))
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for mount in values(var.host_mounts) : startswith(mount.host_path, "/") && startswith(mount.container_path, "/")])
    error_message = "Absolute paths."
  }

  validation {
    condition     = length(var.host_mounts) == 0 || var.launch_type == "EC2"
    error_message = "Fargate has no host whose folders could be mounted."
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
  description = "KMS key that the log is encrypted with."
  type        = string

  validation {
    condition     = can(regex("^arn:[a-z-]+:kms:", var.kms_key_arn))
    error_message = "The ARN of a KMS key."
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
