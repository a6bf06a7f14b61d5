variable "region" {
  description = "AWS region."
  type        = string
  default     = "eu-central-1"

  validation {
    condition     = can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", var.region))
    error_message = "Such as eu-central-1."
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

variable "run_processes" {
  description = "Run stream workers, projectors and gateways. False for the first apply, because they need topics, permissions and tables."
  type        = bool
  default     = true
  nullable    = false
}

variable "zones" {
  description = "Three availability zones of the region."
  type        = list(string)
  default     = ["eu-central-1a", "eu-central-1b", "eu-central-1c"]

  validation {
    condition     = length(distinct(var.zones)) == 3
    error_message = "Three different zones."
  }
}

variable "generate_secrets" {
  description = "Generate the passwords and the token secret; false: they are taken from var.given_secrets."
  type        = bool
  default     = true
  nullable    = false
}

variable "given_secrets" {
  description = "Your own values if generate_secrets is false: kafka/COMPONENT, database/ROLE, token, admin. Required at every plan and apply, because they are not stored."
  type        = map(string)
  default     = {}
  nullable    = false
  ephemeral   = true
  sensitive   = true

  validation {
    condition     = alltrue([for value in values(var.given_secrets) : length(value) >= 16])
    error_message = "16 characters at least each."
  }
}

variable "kafka_tools_image" {
  description = "Image with /opt/kafka/bin/kafka-acls.sh and AWS's IAM sign-in (aws-msk-iam-auth) on its class path, for the task that gives the operator its permissions. Unset: no such task."
  type        = string
  default     = null

  validation {
    condition     = var.kafka_tools_image == null || can(regex("(:|@sha256:)[A-Za-z0-9._-]+$", var.kafka_tools_image))
    error_message = "registry/name:tag or registry/name@sha256:digest."
  }
}

variable "access_log_bucket" {
  description = "S3 bucket for the load balancer's log."
  type        = string

  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$", var.access_log_bucket))
    error_message = "Name of a bucket."
  }
}

variable "oidc_secret_arn" {
  description = "Secret with the JSON list of CATALOGIZER_GATEWAY__OIDC."
  type        = string

  validation {
    condition     = can(regex("^arn:[a-z-]+:secretsmanager:", var.oidc_secret_arn))
    error_message = "An ARN of the service secretsmanager."
  }
}

variable "share_secret_arn" {
  description = "Secret with the password of the shares' user, plain text."
  type        = string

  validation {
    condition     = can(regex("^arn:[a-z-]+:secretsmanager:", var.share_secret_arn))
    error_message = "An ARN of the service secretsmanager."
  }
}

variable "fsx_id" {
  description = "FSx for Windows File Server."
  type        = string

  validation {
    condition     = can(regex("^fs-", var.fsx_id))
    error_message = "Begins with fs-."
  }
}

variable "media_volume_id" {
  description = "Disk with the archive."
  type        = string

  validation {
    condition     = can(regex("^vol-", var.media_volume_id))
    error_message = "Begins with vol-."
  }
}
