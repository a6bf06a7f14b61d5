# Existing brokers and an existing network. Users, and the operator's permissions, are created with the brokers' own tools before
# the tasks run; their passwords are set here.

provider "aws" {
  region = var.region
}

module "catalogizer" {
  source = "../.."

  name             = "catalogizer"
  image            = var.image
  public_url       = var.public_url
  certificate_arn  = var.certificate_arn
  run_processes    = var.run_processes
  generate_secrets = false
  given_secrets    = var.given_secrets

  network = { existing = var.network }

  kafka = {
    existing_cidr = "10.20.0.0/16"
    existing = {
      bootstrap_servers = var.bootstrap_servers
      sasl_mechanism    = "SCRAM-SHA-256"
      ca_file           = "/etc/ssl/kafka.pem"
    }
  }

  # What a lag exporter writes to CloudWatch.
  lag_metrics = {
    stream  = [{ namespace = "Kafka", name = "group_lag_seconds", dimensions = { group = "catalogizer.library" } }]
    project = [{ namespace = "Kafka", name = "group_lag_seconds", dimensions = { group = "catalogizer.projector" } }]
  }
}

module "producer" {
  source = "../../modules/producer"

  name              = "catalogizer"
  platform          = "eks"
  image             = var.image
  kafka_environment = module.catalogizer.kafka_environment
  kms_key_arn       = module.catalogizer.kms_key_arn
  secret_arns       = { kafka = module.catalogizer.watch_secret_arn, share = var.share_secret_arn }
  eks               = var.eks
  roots             = [{ name = "films", library = "home", share = { host = "nas.example", share = "media", user = "reader" } }]
}
