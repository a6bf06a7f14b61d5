variable "name" {
  description = "Name of the installation; the names of all resources begin with it."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,20}[a-z0-9]$", var.name))
    error_message = "3 to 22 lower-case letters, digits and hyphens, beginning with a letter."
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

variable "network" {
  description = "The network: created in three zones, or an existing one (see module network)."
  type = object({
    zones           = optional(list(string))
    cidr            = optional(string)
    one_nat_gateway = optional(bool)
    existing = optional(object({
      vpc_id               = string
      private_subnet_ids   = list(string)
      private_subnet_cidrs = list(string)
      public_subnet_ids    = list(string)
      public_subnet_cidrs  = list(string)
    }))
  })

  validation {
    condition     = (var.network.existing == null) == (var.network.zones != null)
    error_message = "zones for one that is made, or existing: one of the two."
  }
}

variable "kafka" {
  description = "The log: a new MSK cluster, or existing brokers (see module kafka). existing_cidr: the addresses of existing brokers."
  type = object({
    version          = optional(string)
    instance_type    = optional(string)
    brokers_per_zone = optional(number)
    volume_gib       = optional(number)
    max_volume_gib   = optional(number)
    existing_cidr    = optional(string, "10.0.0.0/8")
    existing = optional(object({
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
    }))
  })
  default  = {}
  nullable = false

  validation {
    condition     = can(cidrhost(var.kafka.existing_cidr, 0))
    error_message = "existing_cidr is a range of addresses."
  }
}

variable "database" {
  description = "PostgreSQL; members that are not set have the defaults of module database."
  type = object({
    engine_version      = optional(string)
    instance_class      = optional(string)
    multi_az            = optional(bool)
    storage_gib         = optional(number)
    max_storage_gib     = optional(number)
    backup_days         = optional(number)
    rotation_days       = optional(number)
    skip_final_snapshot = optional(bool)
    ca_file             = optional(string)
  })
  default  = {}
  nullable = false

  validation {
    condition     = var.database.ca_file == null || can(regex("^/", var.database.ca_file))
    error_message = "ca_file is an absolute path in the image."
  }
}

variable "environment" {
  description = "Additional settings of all processes: CATALOGIZER_LOG__..., CATALOGIZER_TRACES__..., CATALOGIZER_KAFKA__... They must not contain secrets."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = alltrue([for key in keys(var.environment) : can(regex("^CATALOGIZER_(LOG|TRACES|KAFKA)__", key)) && !can(regex("PASSWORD|SECRET|PROPERTIES", key))])
    error_message = "Names begin with CATALOGIZER_LOG__, CATALOGIZER_TRACES__ or CATALOGIZER_KAFKA__ and are of no secret."
  }
}

variable "streams" {
  description = "Stream workers; members that are not set have the defaults of module streams. security_group_ids: additional ones, such as access to a file server. environment: CATALOGIZER_STREAMS__ANALYSIS__... if files are read. secret_files: passwords of shares, as files (module task)."
  type = object({
    min_count             = optional(number)
    max_count             = optional(number)
    cpu                   = optional(number)
    memory                = optional(number)
    scale_out_lag_seconds = optional(number)
    security_group_ids    = optional(list(string), [])
    environment           = optional(map(string), {})
    secrets               = optional(map(string), {})
    secret_files          = optional(map(object({ path = string, arn = string })), {})
  })
  default  = {}
  nullable = false

  validation {
    condition     = try(coalesce(var.streams.max_count, 6) <= var.lanes, false)
    error_message = "max_count is not more than lanes."
  }
}

variable "projector" {
  description = "Projectors; members that are not set have the defaults of module projector."
  type = object({
    min_count             = optional(number)
    max_count             = optional(number)
    cpu                   = optional(number)
    memory                = optional(number)
    scale_out_lag_seconds = optional(number)
  })
  default  = {}
  nullable = false

  validation {
    condition     = try(coalesce(var.projector.max_count, 6) <= var.lanes, false)
    error_message = "max_count is not more than lanes."
  }
}

variable "gateway" {
  description = "Gateways; members that are not set have the defaults of module gateway. secrets: additional secret settings, such as CATALOGIZER_GATEWAY__OIDC."
  type = object({
    allowed_cidrs             = optional(list(string))
    internal                  = optional(bool, false)
    ping_seconds              = optional(number)
    idle_seconds              = optional(number)
    stop_seconds              = optional(number)
    drain_seconds             = optional(number)
    min_count                 = optional(number)
    max_count                 = optional(number)
    cpu                       = optional(number)
    memory                    = optional(number)
    requests_per_five_minutes = optional(number)
    access_log_bucket         = optional(string)
    environment               = optional(map(string), {})
    secrets                   = optional(map(string), {})
    secret_files              = optional(map(object({ path = string, arn = string })), {})
  })
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for name in keys(var.gateway.environment) : startswith(name, "CATALOGIZER_")])
    error_message = "environment names settings of the platform."
  }
}

variable "run_processes" {
  description = "Run stream workers, projectors and gateways. False for the first apply, because they need topics, permissions and tables."
  type        = bool
  default     = true
  nullable    = false
}

variable "lanes" {
  description = "Lanes of the log, fixed for its life (CATALOGIZER_KAFKA__LANES)."
  type        = number
  default     = 12
  nullable    = false

  validation {
    condition     = var.lanes >= 1 && var.lanes <= 1024 && floor(var.lanes) == var.lanes
    error_message = "A whole number from 1 to 1024."
  }
}

variable "topic_prefix" {
  description = "Prefix of every topic, group and transactional id (CATALOGIZER_KAFKA__TOPIC_PREFIX)."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = can(regex("^([a-z0-9][a-z0-9-]*\\.)?$", var.topic_prefix))
    error_message = "Lower-case letters, digits and hyphens with a dot at the end, or nothing."
  }
}

variable "lag_metrics" {
  description = "If Kafka is not an MSK cluster: metrics of the lag in seconds of stream and project. None: their number stays at min_count."
  type = map(list(object({
    namespace  = string
    name       = string
    dimensions = map(string)
  })))
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for component in keys(var.lag_metrics) : contains(["stream", "project"], component)])
    error_message = "Of stream and project."
  }
}

variable "analyst_topics" {
  description = "Topics that analysts may read by a policy for MSK's IAM access, by the platform's names (docs/records.md)."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for topic in var.analyst_topics : startswith(topic, "catalog.")])
    error_message = "Topics of the platform, without the prefix."
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

variable "secret_versions" {
  description = "Number of each value's version, by the names of given_secrets; a higher number generates that value again. Values that are not named have version 1."
  type        = map(number)
  default     = {}
  nullable    = false

  validation {
    condition     = alltrue([for value in values(var.secret_versions) : value >= 1 && floor(value) == value])
    error_message = "Whole numbers from 1."
  }
}

variable "secret_recovery_days" {
  description = "Days for which a deleted secret can be restored; 0: none, so that its name is free at once."
  type        = number
  default     = 30
  nullable    = false

  validation {
    condition     = var.secret_recovery_days >= 0 && var.secret_recovery_days <= 30 && floor(var.secret_recovery_days) == var.secret_recovery_days
    error_message = "A whole number from 0 to 30."
  }
}

variable "alarm_emails" {
  description = "Mail addresses that receive alarms; each confirms its subscription once. For other subscribers, use the topic, which is an output."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for address in var.alarm_emails : can(regex("^[^@ ]+@[^@ ]+$", address))])
    error_message = "E-mail addresses."
  }
}

variable "deletion_protection" {
  description = "Refuse to delete the database and the load balancer."
  type        = bool
  default     = true
  nullable    = false
}

variable "log_retention_days" {
  description = "Days for which the flow log of rejected connections is kept."
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
