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

variable "vpc_id" {
  description = "The network."
  type        = string

  validation {
    condition     = startswith(var.vpc_id, "vpc-")
    error_message = "An id that begins with vpc-."
  }
}

variable "public_subnet_ids" {
  description = "Subnets of the load balancer."
  type        = list(string)

  validation {
    condition     = length(var.public_subnet_ids) >= 2 && alltrue([for id in var.public_subnet_ids : startswith(id, "subnet-")])
    error_message = "Two subnets at least, ids that begin with subnet-."
  }
}

variable "trusted_cidrs" {
  description = "Addresses of the load balancer, which the gateway trusts for the client's address: the ranges of its subnets."
  type        = list(string)

  validation {
    condition     = length(var.trusted_cidrs) > 0 && alltrue([for cidr in var.trusted_cidrs : can(cidrhost(cidr, 0)) && cidr != "0.0.0.0/0"])
    error_message = "Ranges of addresses, but not all addresses."
  }
}

variable "public_url" {
  description = "Address in the browser. It needs a host name of its own, because a load balancer cannot strip a path."
  type        = string

  validation {
    condition     = can(regex("^https://[^/?#@ ]+$", var.public_url))
    error_message = "https:// and a host name, without a path."
  }
}

variable "certificate_arn" {
  description = "Certificate of that host name."
  type        = string

  validation {
    condition     = can(regex("^arn:[a-z-]+:acm:", var.certificate_arn))
    error_message = "An ARN of the service acm."
  }
}

variable "allowed_cidrs" {
  description = "Addresses that may reach the load balancer."
  type        = list(string)
  default     = ["0.0.0.0/0"]
  nullable    = false

  validation {
    condition     = length(var.allowed_cidrs) > 0 && alltrue([for cidr in var.allowed_cidrs : can(cidrhost(cidr, 0))])
    error_message = "Ranges of IPv4 addresses."
  }
}

variable "internal" {
  description = "Load balancer without public addresses."
  type        = bool
  default     = false
  nullable    = false
}

variable "ping_seconds" {
  description = "Time between the gateway's pings (CATALOGIZER_GATEWAY__PING_SECONDS)."
  type        = number
  default     = 25
  nullable    = false

  validation {
    condition     = var.ping_seconds >= 1 && var.ping_seconds <= 300 && floor(var.ping_seconds) == var.ping_seconds
    error_message = "A whole number from 1 to 300."
  }
}

variable "idle_seconds" {
  description = "Time without a byte after which the load balancer closes a connection: well above the interval of the pings, which keep it open."
  type        = number
  default     = 300
  nullable    = false

  validation {
    condition     = var.idle_seconds > 2 * var.ping_seconds && var.idle_seconds <= 4000
    error_message = "More than two intervals of pings, because one may be lost; 4000 at most."
  }
}

variable "stop_seconds" {
  description = "Time between SIGTERM, at which the gateway closes its sockets with 1012, and SIGKILL. The gateway needs 7 s at most."
  type        = number
  default     = 30
  nullable    = false

  validation {
    condition     = var.stop_seconds >= 10 && var.stop_seconds <= 120 && floor(var.stop_seconds) == var.stop_seconds
    error_message = "A whole number from 10 to 120."
  }
}

variable "drain_seconds" {
  description = "Time for which the load balancer keeps the connections of a gateway that is being stopped: at least stop_seconds, so that none is cut off before 1012 is sent."
  type        = number
  default     = 60
  nullable    = false

  validation {
    condition     = var.drain_seconds >= var.stop_seconds && var.drain_seconds <= 3600
    error_message = "Not less than stop_seconds; 3600 at most."
  }
}

variable "min_count" {
  description = "Least number of gateways."
  type        = number
  default     = 2
  nullable    = false

  validation {
    condition     = var.min_count >= 1 && var.min_count <= 100 && floor(var.min_count) == var.min_count
    error_message = "A whole number from 1 to 100."
  }
}

variable "max_count" {
  description = "Greatest number of gateways."
  type        = number
  default     = 6
  nullable    = false

  validation {
    condition     = var.max_count >= var.min_count && var.max_count <= 100
    error_message = "Not less than min_count; 100 at most."
  }
}

variable "cpu_percent" {
  description = "Average use of the processors to which the number of gateways is scaled, in percent."
  type        = number
  default     = 60
  nullable    = false

  validation {
    condition     = var.cpu_percent >= 20 && var.cpu_percent <= 90 && floor(var.cpu_percent) == var.cpu_percent
    error_message = "A whole number from 20 to 90."
  }
}

variable "requests_per_five_minutes" {
  description = "Requests from one address in five minutes beyond which the firewall blocks it."
  type        = number
  default     = 3000
  nullable    = false

  validation {
    condition     = var.requests_per_five_minutes >= 100 && var.requests_per_five_minutes <= 2000000000 && floor(var.requests_per_five_minutes) == var.requests_per_five_minutes
    error_message = "A whole number from 100 to 2000000000."
  }
}

variable "deletion_protection" {
  description = "Refuse to delete the load balancer."
  type        = bool
  default     = true
  nullable    = false
}

variable "access_log_bucket" {
  description = "S3 bucket for the load balancer's log; unset: no log is written."
  type        = string
  default     = null

  validation {
    condition     = var.access_log_bucket == null || can(regex("^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$", var.access_log_bucket))
    error_message = "Name of a bucket."
  }
}

variable "cpu" {
  description = "Processor of a task, in 1024ths."
  type        = number
  default     = 1024
  nullable    = false

  validation {
    condition     = contains([256, 512, 1024, 2048, 4096, 8192, 16384], var.cpu)
    error_message = "One of Fargate's: 256, 512, 1024, 2048, 4096, 8192, 16384."
  }
}

variable "memory" {
  description = "Memory of a task, MiB."
  type        = number
  default     = 2048
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
