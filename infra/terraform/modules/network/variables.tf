variable "name" {
  description = "Name of the installation; the names of all resources begin with it."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,20}[a-z0-9]$", var.name))
    error_message = "3 to 22 lower-case letters, digits and hyphens, beginning with a letter."
  }
}

variable "existing" {
  description = "An existing network; nothing is created then. Subnets in three zones, the private ones with a route to the internet (NAT) or endpoints."
  type = object({
    vpc_id               = string
    private_subnet_ids   = list(string)
    private_subnet_cidrs = list(string)
    public_subnet_ids    = list(string)
    public_subnet_cidrs  = list(string)
  })
  default = null

  validation {
    condition     = var.existing == null || try(startswith(var.existing.vpc_id, "vpc-") && length(var.existing.private_subnet_ids) >= 2 && length(var.existing.public_subnet_ids) >= 2, false)
    error_message = "vpc_id begins with vpc-, and there are two private and two public subnets at least."
  }

  validation {
    condition     = var.existing == null || try(length(var.existing.public_subnet_ids) == length(var.existing.public_subnet_cidrs) && length(var.existing.private_subnet_ids) == length(var.existing.private_subnet_cidrs), false)
    error_message = "There is a range of addresses for each subnet: the gateway trusts the load balancer by it."
  }
}

variable "cidr" {
  description = "Addresses of the created network: a /16."
  type        = string
  default     = "10.40.0.0/16"
  nullable    = false

  validation {
    condition     = can(cidrsubnet(var.cidr, 4, 0)) && endswith(var.cidr, "/16")
    error_message = "An IPv4 range that ends in /16."
  }
}

variable "zones" {
  description = "Availability zones of the created network: three, as many as Kafka has replicas."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = contains([0, 3], length(distinct(var.zones))) && length(distinct(var.zones)) == length(var.zones)
    error_message = "Three different zones, or none where a network is given."
  }

  validation {
    condition     = var.existing != null || length(var.zones) == 3
    error_message = "Name three zones, or give an existing network."
  }
}

variable "one_nat_gateway" {
  description = "One NAT gateway for all zones: cheaper, but if its zone fails, no zone reaches the internet."
  type        = bool
  default     = false
  nullable    = false
}

variable "kms_key_arn" {
  description = "KMS key of the flow log."
  type        = string
  default     = null

  validation {
    condition     = var.kms_key_arn == null || can(regex("^arn:[a-z-]+:kms:", var.kms_key_arn))
    error_message = "The ARN of a KMS key."
  }
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
