# All options. The gateways are in a company's network; media are on FSx and on a disk.

provider "aws" {
  region = var.region

  default_tags {
    tags = { project = "catalogizer" }
  }
}

module "catalogizer" {
  source = "../.."

  name              = "media"
  image             = var.image
  cpu_architecture  = "ARM64"
  public_url        = var.public_url
  certificate_arn   = var.certificate_arn
  run_processes     = var.run_processes
  kafka_tools_image = var.kafka_tools_image
  generate_secrets  = var.generate_secrets
  given_secrets     = var.given_secrets
  secret_versions   = { token = 2 }
  lanes             = 24
  topic_prefix      = "media."
  alarm_emails      = ["media-operators@example.com"]
  analyst_topics    = ["catalog.fs.changes.v1", "catalog.media.updates.v1"]
  tags              = { team = "media" }

  network = { zones = var.zones, cidr = "10.60.0.0/16" }

  kafka = {
    instance_type    = "kafka.m7g.xlarge"
    brokers_per_zone = 2
    volume_gib       = 500
    max_volume_gib   = 4000
  }

  database = {
    instance_class  = "db.r7g.large"
    storage_gib     = 100
    max_storage_gib = 1000
    backup_days     = 30
    ca_file         = "/etc/ssl/rds.pem"
  }

  streams   = { min_count = 3, max_count = 24, cpu = 4096, memory = 8192 }
  projector = { min_count = 2, max_count = 12 }

  gateway = {
    internal          = true
    allowed_cidrs     = ["10.0.0.0/8"]
    min_count         = 3
    max_count         = 12
    access_log_bucket = var.access_log_bucket
    environment       = { CATALOGIZER_GATEWAY__MAX_SOCKETS = "20000" }
    secrets           = { CATALOGIZER_GATEWAY__OIDC = var.oidc_secret_arn }
  }
}

module "producer" {
  source = "../../modules/producer"

  name              = "media"
  platform          = "ecs-ec2"
  image             = var.image
  kafka_environment = module.catalogizer.kafka_environment
  kms_key_arn       = module.catalogizer.kms_key_arn
  secret_arns       = { kafka = module.catalogizer.watch_secret_arn, share = var.share_secret_arn }
  tags              = { team = "media" }

  roots = [
    { name = "archive", library = "studio", path = "/srv/media/archive" },
    { name = "rushes", library = "studio", path = "2026", share = { fsx_id = var.fsx_id, share = "rushes", user = "reader", domain = "STUDIO" } },
  ]

  ecs = {
    cluster_arn        = module.catalogizer.watch.cluster_arn
    cluster_name       = module.catalogizer.watch.cluster_name
    subnet_id          = module.catalogizer.private_subnet_ids[0]
    security_group_ids = [module.catalogizer.watch.security_group_id, aws_security_group.shares.id]
    execution_role_arn = module.catalogizer.watch.execution_role_arn
    task_role_arn      = module.catalogizer.watch.task_role_arn
    media_volume_id    = var.media_volume_id
  }
}

# Access to the file server, and the permission to fetch its password.
resource "aws_security_group" "shares" {
  #checkov:skip=CKV2_AWS_5:the producer's instance and task have it
  name        = "media-shares"
  description = "From the producer to the file server"
  vpc_id      = module.catalogizer.vpc_id
}

resource "aws_vpc_security_group_egress_rule" "shares" {
  security_group_id = aws_security_group.shares.id
  cidr_ipv4         = "10.60.0.0/16"
  description       = "SMB"
  ip_protocol       = "tcp"
  from_port         = 445
  to_port           = 445
}

data "aws_iam_policy_document" "share" {
  statement {
    actions   = ["secretsmanager:GetSecretValue"]
    resources = [var.share_secret_arn]
  }
}

resource "aws_iam_role_policy" "share" {
  name   = "share"
  role   = split("/", module.catalogizer.watch.execution_role_arn)[1]
  policy = data.aws_iam_policy_document.share.json
}
