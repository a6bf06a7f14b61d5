variable "name" {
  description = "Name of the installation; the names of all resources begin with it."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,20}[a-z0-9]$", var.name))
    error_message = "3 to 22 lower-case letters, digits and hyphens, beginning with a letter."
  }
}

variable "platform" {
  description = "The platform near the storage: ecs-ec2 (an ECS instance that this module creates), eks (a manifest for an existing cluster), host (cloud-init for any machine, in AWS or elsewhere)."
  type        = string

  validation {
    condition     = contains(["ecs-ec2", "eks", "host"], var.platform)
    error_message = "ecs-ec2, eks or host."
  }
}

variable "producer_name" {
  description = "Stable name of this producer (CATALOGIZER_PRODUCER__NAME)."
  type        = string
  default     = "producer"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9-]{0,30}$", var.producer_name))
    error_message = "Lower-case letters, digits and hyphens."
  }
}

variable "roots" {
  description = "The roots that it watches. path: a folder of the machine or below the share. share: of an SMB server, by its host name or, on FSx for Windows File Server, by the id of the file system. The password is in secret_arns.share."
  type = list(object({
    name    = string
    library = string
    site    = optional(string, "main")
    path    = optional(string, "")
    exclude = optional(list(string), [])
    share = optional(object({
      host       = optional(string)
      fsx_id     = optional(string)
      share      = string
      user       = string
      domain     = optional(string, "")
      encryption = optional(string, "required")
    }))
  }))

  validation {
    condition     = length(var.roots) > 0 && length(distinct(var.roots[*].name)) == length(var.roots) && alltrue([for root in var.roots : can(regex("^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$", root.name)) && can(regex("^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$", root.library))])
    error_message = "One root at least, each with a name of its own."
  }

  validation {
    condition     = alltrue([for root in var.roots : root.share != null || startswith(root.path, "/")])
    error_message = "A root that is on no share has an absolute path."
  }

  validation {
    condition     = alltrue([for root in var.roots : root.share == null || try((root.share.host == null) != (root.share.fsx_id == null), false)])
    error_message = "A share has a host or the id of an FSx file system, one of them."
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

variable "kafka_environment" {
  description = "Kafka settings: output environment of module kafka."
  type        = map(string)

  validation {
    condition     = contains(keys(var.kafka_environment), "CATALOGIZER_KAFKA__BOOTSTRAP_SERVERS")
    error_message = "CATALOGIZER_KAFKA__BOOTSTRAP_SERVERS is among them."
  }
}

variable "environment" {
  description = "Additional settings: CATALOGIZER_PRODUCER__..., CATALOGIZER_LOG__..., CATALOGIZER_TRACES__... They must not contain secrets."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = alltrue([for key in keys(var.environment) : can(regex("^CATALOGIZER_(PRODUCER|LOG|TRACES|KAFKA)__", key)) && !can(regex("PASSWORD|SECRET|PROPERTIES", key))])
    error_message = "Settings of the producer, of logs, traces and Kafka, and of no secret."
  }
}

variable "secret_arns" {
  description = "Secrets: kafka (username and password in JSON; null if the brokers require none), kafka_files (certificates in PEM, by the files' names: output watch_file_arns), share (the password of the shares' user, plain text)."
  type = object({
    kafka       = optional(string)
    kafka_files = optional(map(string), {})
    share       = optional(string)
  })
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for arn in concat(compact([var.secret_arns.kafka, var.secret_arns.share]), values(var.secret_arns.kafka_files)) : can(regex("^arn:[a-z-]+:secretsmanager:", arn))])
    error_message = "ARNs of secrets."
  }

  validation {
    condition     = var.secret_arns.kafka != null || !contains(keys(var.kafka_environment), "CATALOGIZER_KAFKA__SASL_MECHANISM")
    error_message = "Brokers with SASL need secret_arns.kafka."
  }

  validation {
    condition     = alltrue([for value in values(var.kafka_environment) : contains(keys(var.secret_arns.kafka_files), basename(value)) if startswith(value, "/tmp/")])
    error_message = "Files below /tmp of kafka_environment need secret_arns.kafka_files."
  }

  validation {
    condition     = var.secret_arns.share != null || alltrue([for root in var.roots : root.share == null])
    error_message = "A root on a share needs secret_arns.share."
  }
}

variable "ecs" {
  description = "For ecs-ec2: the cluster, a subnet near the storage, and the roles of the tasks. media_device: an existing disk, which is mounted read-only."
  type = object({
    cluster_arn        = string
    cluster_name       = string
    subnet_id          = string
    security_group_ids = list(string)
    execution_role_arn = string
    task_role_arn      = string
    instance_type      = optional(string, "m7i.large")
    media_volume_id    = optional(string)
    media_folder       = optional(string, "/srv/media")
    state_gib          = optional(number, 20)
  })
  default = null

  validation {
    condition     = (var.ecs != null) == (var.platform == "ecs-ec2")
    error_message = "Belongs to ecs-ec2, and to it alone."
  }
}

variable "eks" {
  description = "For eks: the namespace of the manifest, and the cluster's OIDC provider, through which the service account assumes a role that may read the secrets."
  type = object({
    namespace         = string
    oidc_provider_arn = string
    oidc_provider_url = string
    storage_class     = optional(string, "gp3")
    media_claim       = optional(string)
    state_gib         = optional(number, 20)


  })
  default = null

  validation {
    condition     = (var.eks != null) == (var.platform == "eks")
    error_message = "Belongs to eks, and to it alone."
  }
}

variable "kms_key_arn" {
  description = "KMS key of the disks and the log; needed for ecs-ec2 and eks."
  type        = string
  default     = null

  validation {
    condition     = var.platform == "host" || can(regex("^arn:[a-z-]+:kms:", var.kms_key_arn))
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
