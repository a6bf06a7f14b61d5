variable "name" {
  description = "Name of the installation; the names of all resources begin with it."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,20}[a-z0-9]$", var.name))
    error_message = "3 to 22 lower-case letters, digits and hyphens, beginning with a letter."
  }
}

variable "existing" {
  description = "Existing brokers; nothing is created then. sasl_mechanism: SCRAM-SHA-512 by default. oauthbearer: with OAUTHBEARER, where tokens are requested; client ids are catalogizer-COMPONENT, client secrets those of given_secrets. certificate_secret_arns: with SSL or SASL_SSL, by watch, stream, project, serve and operator, secrets with certificate chain and key in PEM (mutual TLS). ca_file: authorities in the image; ca_secret_arn: in a secret. Without a mechanism or certificates only the network restricts access. cluster_name and cluster_arn: of an MSK cluster, to scale on its lag and to create policies for its topics."
  type = object({
    bootstrap_servers = string
    security_protocol = optional(string, "SASL_SSL")
    sasl_mechanism    = optional(string)
    ca_file           = optional(string)
    ca_secret_arn     = optional(string)
    oauthbearer = optional(object({
      token_endpoint_url = string
      scope              = optional(string)
      extensions         = optional(string)
      ca_secret_arn      = optional(string)
    }))
    certificate_secret_arns = optional(map(string), {})
    cluster_name            = optional(string)
    cluster_arn             = optional(string)
    replication             = optional(number, 3)
  })
  default = null

  validation {
    condition     = var.existing == null || can(regex("^[^:,@ ]+:[0-9]{1,5}(,[^:,@ ]+:[0-9]{1,5})*$", var.existing.bootstrap_servers))
    error_message = "bootstrap_servers is host:port, further ones after commas, without user and password."
  }

  validation {
    condition     = var.existing == null || try(contains(["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"], var.existing.security_protocol), false)
    error_message = "security_protocol is PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL."
  }

  validation {
    condition     = var.existing == null || try(startswith(var.existing.security_protocol, "SASL") || var.existing.sasl_mechanism == null, false)
    error_message = "sasl_mechanism belongs to SASL_SSL and SASL_PLAINTEXT."
  }

  validation {
    condition     = var.existing == null || try(contains(["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER"], coalesce(var.existing.sasl_mechanism, "PLAIN")), false)
    error_message = "sasl_mechanism is PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 or OAUTHBEARER: the platform speaks no other."
  }

  validation {
    condition     = var.existing == null || try((coalesce(var.existing.sasl_mechanism, "none") == "OAUTHBEARER") == (var.existing.oauthbearer != null), false)
    error_message = "oauthbearer belongs to the mechanism OAUTHBEARER, which needs it."
  }

  validation {
    condition     = try(var.existing.oauthbearer, null) == null || can(regex("^https://[^/?#@ ]+", var.existing.oauthbearer.token_endpoint_url))
    error_message = "token_endpoint_url is an https:// address."
  }

  validation {
    condition     = var.existing == null || try(length(var.existing.certificate_secret_arns) == 0 || (endswith(var.existing.security_protocol, "SSL") && toset(keys(var.existing.certificate_secret_arns)) == toset(["watch", "stream", "project", "serve", "operator"])), false)
    error_message = "certificate_secret_arns belongs to SSL and SASL_SSL, and is of watch, stream, project, serve and operator."
  }

  validation {
    condition     = var.existing == null || try(alltrue([for arn in concat(compact([var.existing.ca_secret_arn, try(var.existing.oauthbearer.ca_secret_arn, null)]), values(var.existing.certificate_secret_arns)) : can(regex("^arn:[a-z-]+:secretsmanager:", arn))]), false)
    error_message = "ARNs of secrets, or ARN:KEY::."
  }

  validation {
    condition     = var.existing == null || try(var.existing.ca_file == null || var.existing.ca_secret_arn == null, false)
    error_message = "ca_file or ca_secret_arn: one of the two."
  }
}

variable "vpc_id" {
  description = "The network of a created cluster."
  type        = string
  default     = null

  validation {
    condition     = var.existing != null || try(startswith(var.vpc_id, "vpc-"), false)
    error_message = "A cluster that is made needs a network (vpc-...)."
  }
}

variable "private_subnet_ids" {
  description = "Three subnets, each in a different zone: one broker for each replica."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = var.existing != null || length(var.private_subnet_ids) == 3
    error_message = "Three subnets: every topic has three replicas."
  }
}

variable "kms_key_arn" {
  description = "KMS key of the disks and of the brokers' log."
  type        = string
  default     = null

  validation {
    condition     = var.existing != null || can(regex("^arn:[a-z-]+:kms:", var.kms_key_arn))
    error_message = "The ARN of a KMS key."
  }
}

variable "client_security_groups" {
  description = "Security groups that may reach the brokers by SCRAM (port 9096): name to id."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = alltrue([for id in values(var.client_security_groups) : startswith(id, "sg-")])
    error_message = "Ids that begin with sg-."
  }
}

variable "iam_client_security_groups" {
  description = "Security groups that may reach the brokers by IAM (port 9098): name to id."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = alltrue([for id in values(var.iam_client_security_groups) : startswith(id, "sg-")])
    error_message = "Ids that begin with sg-."
  }
}

variable "scram_secret_arns" {
  description = "Secrets with user and password of each component, named AmazonMSK_... and encrypted with a customer-managed key."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = alltrue([for arn in values(var.scram_secret_arns) : can(regex("^arn:[a-z-]+:secretsmanager:", arn))])
    error_message = "ARNs of secrets."
  }
}

variable "kafka_version" {
  description = "Version of Apache Kafka."
  type        = string
  default     = "3.9.x"
  nullable    = false

  validation {
    condition     = can(regex("^[34]\\.[0-9]+(\\.[0-9]+|\\.x)(\\.kraft)?$", var.kafka_version))
    error_message = "As MSK writes it, such as 3.9.x."
  }
}

variable "instance_type" {
  description = "Size of a broker."
  type        = string
  default     = "kafka.m7g.large"
  nullable    = false

  validation {
    condition     = can(regex("^kafka\\.", var.instance_type))
    error_message = "Begins with kafka."
  }
}

variable "brokers_per_zone" {
  description = "Brokers in each zone."
  type        = number
  default     = 1
  nullable    = false

  validation {
    condition     = var.brokers_per_zone >= 1 && var.brokers_per_zone <= 10 && floor(var.brokers_per_zone) == var.brokers_per_zone
    error_message = "A whole number from 1 to 10."
  }
}

variable "volume_gib" {
  description = "Initial size of a broker's disk, GiB. The change log is kept for ever."
  type        = number
  default     = 100
  nullable    = false

  validation {
    condition     = var.volume_gib >= 10 && var.volume_gib <= 16384 && floor(var.volume_gib) == var.volume_gib
    error_message = "A whole number from 10 to 16384."
  }
}

variable "max_volume_gib" {
  description = "Size up to which a broker's disk grows by itself, GiB. It never shrinks."
  type        = number
  default     = 1000
  nullable    = false

  validation {
    condition     = var.max_volume_gib >= var.volume_gib && var.max_volume_gib <= 16384
    error_message = "Not less than volume_gib, and 16384 at most."
  }
}

variable "volume_used_percent" {
  description = "Use of the disks at which they grow, in percent."
  type        = number
  default     = 60
  nullable    = false

  validation {
    condition     = var.volume_used_percent >= 10 && var.volume_used_percent <= 80 && floor(var.volume_used_percent) == var.volume_used_percent
    error_message = "A whole number from 10 to 80."
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
