# The smallest complete installation. First apply with run_processes = false, run the tasks of output run, then apply with true.

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
  generate_secrets = var.generate_secrets
  given_secrets    = var.given_secrets
  network          = { zones = var.zones, one_nat_gateway = true }
}

# At home, near the disks: a machine with cloud-init that reaches the brokers (by a VPN, for example).
module "producer" {
  source = "../../modules/producer"

  name              = "catalogizer"
  platform          = "host"
  image             = var.image
  kafka_environment = module.catalogizer.kafka_environment
  secret_arns       = { kafka = module.catalogizer.watch_secret_arn }
  roots             = [{ name = "films", library = "home", path = "/srv/media/films" }]
}
