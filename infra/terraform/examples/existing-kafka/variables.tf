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

variable "given_secrets" {
  description = "Your own values of kafka/COMPONENT, database/ROLE, token, admin. Required at every plan and apply, because they are not stored."
  type        = map(string)
  nullable    = false
  ephemeral   = true
  sensitive   = true

  validation {
    condition     = alltrue([for value in values(var.given_secrets) : length(value) >= 16])
    error_message = "16 characters at least each."
  }
}

variable "network" {
  description = "The existing network."
  type = object({
    vpc_id               = string
    private_subnet_ids   = list(string)
    private_subnet_cidrs = list(string)
    public_subnet_ids    = list(string)
    public_subnet_cidrs  = list(string)
  })

  validation {
    condition     = startswith(var.network.vpc_id, "vpc-")
    error_message = "vpc_id begins with vpc-."
  }
}

variable "eks" {
  description = "The cluster on which the producer runs."
  type = object({
    namespace         = string
    oidc_provider_arn = string
    oidc_provider_url = string
  })

  validation {
    condition     = can(regex("^arn:[a-z-]+:iam:", var.eks.oidc_provider_arn))
    error_message = "oidc_provider_arn is an ARN of IAM."
  }
}

variable "bootstrap_servers" {
  description = "The brokers: host:port, separated by commas."
  type        = string

  validation {
    condition     = can(regex("^[^:,@ ]+:[0-9]+(,[^:,@ ]+:[0-9]+)*$", var.bootstrap_servers))
    error_message = "host:port, separated by commas."
  }
}

variable "share_secret_arn" {
  description = "Secret with the password of the share's user, plain text."
  type        = string

  validation {
    condition     = can(regex("^arn:[a-z-]+:secretsmanager:", var.share_secret_arn))
    error_message = "An ARN of the service secretsmanager."
  }
}
