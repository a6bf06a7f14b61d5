# Alerts to people are delivered by the stream workers, so only they get these settings, and reach the mail server.

variable "alerts" {
  description = "Alerts to people by webhook and mail (docs/operations.md). ...secret_arn: secrets with the value as plain text, or ARN:KEY::. smtp_url: starttls:// or smtps://user@host, smtp://host. webhook_port: that of the webhook's address. ca_secret_arn: trusted authorities in PEM, if not public ones."
  type = object({
    min_severity             = optional(string)
    kinds                    = optional(list(string))
    webhook_url_secret_arn   = optional(string)
    webhook_key_secret_arn   = optional(string)
    webhook_port             = optional(number, 443)
    smtp_url                 = optional(string)
    smtp_password_secret_arn = optional(string)
    mail_from                = optional(string)
    mail_to                  = optional(list(string), [])
    ca_secret_arn            = optional(string)
    mass_deletion = optional(object({
      seconds = optional(number)
      count   = optional(number)
      percent = optional(number)
      many    = optional(number)
    }))
  })
  default  = {}
  nullable = false

  validation {
    condition     = var.alerts.min_severity == null || try(contains(["warning", "error"], var.alerts.min_severity), false)
    error_message = "min_severity is warning or error."
  }

  validation {
    condition     = alltrue([for arn in compact([var.alerts.webhook_url_secret_arn, var.alerts.webhook_key_secret_arn, var.alerts.smtp_password_secret_arn, var.alerts.ca_secret_arn]) : can(regex("^arn:[a-z-]+:secretsmanager:", arn))])
    error_message = "ARNs of secrets, or ARN:KEY::."
  }

  validation {
    condition     = var.alerts.webhook_key_secret_arn == null || var.alerts.webhook_url_secret_arn != null
    error_message = "webhook_key_secret_arn needs webhook_url_secret_arn."
  }

  validation {
    condition     = var.alerts.smtp_url == null || can(regex("^(smtp|starttls|smtps)://([^:@/?#]+@)?[A-Za-z0-9._-]+(:[0-9]{1,5})?$", var.alerts.smtp_url))
    error_message = "smtp_url is smtp://, starttls:// or smtps://, then user@host:port, without a password."
  }

  validation {
    condition     = (var.alerts.smtp_url != null) == (var.alerts.mail_from != null) && (var.alerts.smtp_url != null) == (length(var.alerts.mail_to) > 0)
    error_message = "smtp_url, mail_from and mail_to belong together."
  }

  validation {
    condition     = can(regex("^(starttls|smtps)://[^@]+@", coalesce(var.alerts.smtp_url, "none"))) == (var.alerts.smtp_password_secret_arn != null) && !can(regex("^smtp://[^@]*@", coalesce(var.alerts.smtp_url, "none")))
    error_message = "A user in smtp_url needs smtp_password_secret_arn, and the other way round; smtp:// would send the password in the clear."
  }
}

locals {
  alerts_ca = "/tmp/alerts-ca.pem"

  alerts_environment = {
    for name, value in {
      MIN_SEVERITY          = var.alerts.min_severity
      KINDS                 = var.alerts.kinds == null ? null : jsonencode(var.alerts.kinds)
      SMTP_URL              = var.alerts.smtp_url
      MAIL_FROM             = var.alerts.mail_from
      MAIL_TO               = length(var.alerts.mail_to) == 0 ? null : jsonencode(var.alerts.mail_to)
      CAFILE                = var.alerts.ca_secret_arn == null ? null : local.alerts_ca
      MASS_DELETION_SECONDS = try(tostring(var.alerts.mass_deletion.seconds), null)
      MASS_DELETION_COUNT   = try(tostring(var.alerts.mass_deletion.count), null)
      MASS_DELETION_PERCENT = try(tostring(var.alerts.mass_deletion.percent), null)
      MASS_DELETION_MANY    = try(tostring(var.alerts.mass_deletion.many), null)
    } : "CATALOGIZER_ALERTS__${name}" => value if value != null
  }

  alerts_secrets = {
    for name, arn in {
      WEBHOOK_URL    = var.alerts.webhook_url_secret_arn
      WEBHOOK_SECRET = var.alerts.webhook_key_secret_arn
      SMTP_PASSWORD  = var.alerts.smtp_password_secret_arn
    } : "CATALOGIZER_ALERTS__${name}" => arn if arn != null
  }

  alerts_files = { for arn in compact([var.alerts.ca_secret_arn]) : "ALERTS_CA" => { path = local.alerts_ca, arn = arn } }

  # What processes reach by an address of a setting, with the port that it has or that its scheme means.
  ports = { http = 80, https = 443, smtp = 25, starttls = 587, smtps = 465 }
  addresses = concat(
    [for component in local.kafka_clients : { component = component, what = "Token endpoint", url = try(var.kafka.existing.oauthbearer.token_endpoint_url, null) }],
    [for component in ["watch", "stream", "project", "serve"] : { component = component, what = "Traces", url = lookup(var.environment, "CATALOGIZER_TRACES__ENDPOINT", null) }],
    [{ component = "stream", what = "Mail of alerts", url = var.alerts.smtp_url }],
  )
  elsewhere = concat(
    [for address in local.addresses : { component = address.component, what = address.what, port = tonumber(try(regex("^[a-z]+://(?:[^@/]*@)?[^/]*:([0-9]+)(?:/.*)?$", address.url)[0], local.ports[split(":", address.url)[0]])) } if address.url != null],
    [for arn in compact([var.alerts.webhook_url_secret_arn]) : { component = "stream", what = "Webhook of alerts", port = var.alerts.webhook_port }],
  )
}
