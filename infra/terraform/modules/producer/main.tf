# The producer, near the storage that it watches: one for each set of roots. It has a persistent state folder of its own (its
# index of the tree, and its outbox), and only reads media.

locals {
  component = "watch"
  uid       = 10001 # the image's user
  state     = "/var/lib/catalogizer"

  shares = [for root in var.roots : root if root.share != null]
  local_ = [for root in var.roots : root if root.share == null]
  fsx    = toset(compact([for root in local.shares : root.share.fsx_id]))

  # Where files with secrets are in the container.
  secret_folder = { ecs-ec2 = "/tmp", eks = "/mnt/secrets", host = "/run/catalogizer" }[var.platform]

  share_password_file = "${local.secret_folder}/share-password"

  roots = concat(
    [for root in local.local_ : { name = root.name, library = root.library, site = root.site, path = root.path, exclude = root.exclude }],
    [for root in local.shares : {
      name          = root.name
      library       = root.library
      site          = root.site
      protocol      = "smb"
      path          = root.path
      exclude       = root.exclude
      host          = root.share.fsx_id == null ? root.share.host : data.aws_fsx_windows_file_system.this[root.share.fsx_id].dns_name
      share         = root.share.share
      user          = root.share.user
      domain        = root.share.domain
      encryption    = root.share.encryption
      password_file = local.share_password_file
    }],
  )

  # by the setting and not by the secret, whose ARN is known only after it was created
  signs_in = contains(keys(var.kafka_environment), "CATALOGIZER_KAFKA__SASL_MECHANISM")

  kafka_names = try(var.kafka_environment["CATALOGIZER_KAFKA__SASL_MECHANISM"], "") == "OAUTHBEARER" ? {
    user     = "CATALOGIZER_KAFKA__SASL_OAUTHBEARER_CLIENT_ID"
    password = "CATALOGIZER_KAFKA__SASL_OAUTHBEARER_CLIENT_SECRET"
    } : {
    user     = "CATALOGIZER_KAFKA__SASL_USERNAME"
    password = "CATALOGIZER_KAFKA__SASL_PASSWORD"
  }

  # Settings whose file comes from a secret: below /tmp in a task, elsewhere on other platforms.
  kafka_files = { for name, value in var.kafka_environment : name => basename(value) if startswith(value, "/tmp/") }

  environment = merge(
    var.environment,
    var.kafka_environment,
    { for name, file in local.kafka_files : name => "${local.secret_folder}/${file}" },
    local.signs_in ? { (local.kafka_names.user) = "catalogizer-${local.component}" } : {},
    {
      CATALOGIZER_STATE_DIR              = local.state
      CATALOGIZER_LOG__FORMAT            = "json"
      CATALOGIZER_PRODUCER__NAME         = var.producer_name
      CATALOGIZER_PRODUCER__ROOTS        = jsonencode(local.roots)
      CATALOGIZER_PRODUCER__HEALTH__PORT = "8081"
    },
  )
}

data "aws_fsx_windows_file_system" "this" {
  for_each = local.fsx

  id = each.value
}
