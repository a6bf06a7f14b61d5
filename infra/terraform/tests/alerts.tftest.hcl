# Alerts, further settings and brokers with tokens, in the whole: which task gets what, and where it may connect to.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  name             = "media"
  image            = "registry.example/catalogizer:0.1.0"
  public_url       = "https://media.example"
  certificate_arn  = "arn:aws:acm:eu-central-1:123456789012:certificate/c"
  generate_secrets = false
  given_secrets = {
    "kafka/watch"                  = "0123456789abcdef", "kafka/stream" = "0123456789abcdef", "kafka/project" = "0123456789abcdef",
    "kafka/serve"                  = "0123456789abcdef", "kafka/operator" = "0123456789abcdef", token = "0123456789abcdef",
    "database/catalogizer_project" = "0123456789abcdef", "database/catalogizer_serve" = "0123456789abcdef", admin = "0123456789abcdef"
  }
  environment = { CATALOGIZER_LOG__LEVEL = "WARNING", CATALOGIZER_TRACES__ENDPOINT = "http://collector.example:4318", CATALOGIZER_KAFKA__REQUEST_TIMEOUT_MS = "20000" }
  network = {
    existing = {
      vpc_id               = "vpc-9"
      private_subnet_ids   = ["subnet-a", "subnet-b", "subnet-c"]
      private_subnet_cidrs = ["10.20.0.0/24", "10.20.1.0/24", "10.20.2.0/24"]
      public_subnet_ids    = ["subnet-d", "subnet-e"]
      public_subnet_cidrs  = ["10.20.10.0/24", "10.20.11.0/24"]
    }
  }
  kafka = {
    existing = {
      bootstrap_servers       = "kafka.example:9093"
      sasl_mechanism          = "OAUTHBEARER"
      oauthbearer             = { token_endpoint_url = "https://id.example:8443/token" }
      certificate_secret_arns = { for user in ["watch", "stream", "project", "serve", "operator"] : user => "arn:aws:secretsmanager:eu-central-1:123456789012:secret:${user}-AbCdEf" }
    }
  }
  alerts = {
    kinds                    = ["root_lost", "disk_low"]
    webhook_url_secret_arn   = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:alerts-AbCdEf:webhook_url::"
    webhook_key_secret_arn   = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:alerts-AbCdEf:webhook_key::"
    webhook_port             = 8443
    smtp_url                 = "starttls://catalogizer@mail.example"
    smtp_password_secret_arn = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:alerts-AbCdEf:smtp_password::"
    mail_from                = "catalogizer@example.org"
    mail_to                  = ["ops@example.org"]
    ca_secret_arn            = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:ca-AbCdEf"
    mass_deletion            = { count = 100 }
  }
}

run "all" {
  assert {
    condition     = jsonencode({ for name, container in output.containers : name => sort([for entry in concat(container.environment, container.secrets) : entry.name if startswith(entry.name, "CATALOGIZER_ALERTS__")]) if length([for entry in container.environment : entry if startswith(entry.name, "CATALOGIZER_ALERTS__")]) > 0 }) == jsonencode({ stream = ["CATALOGIZER_ALERTS__CAFILE", "CATALOGIZER_ALERTS__KINDS", "CATALOGIZER_ALERTS__MAIL_FROM", "CATALOGIZER_ALERTS__MAIL_TO", "CATALOGIZER_ALERTS__MASS_DELETION_COUNT", "CATALOGIZER_ALERTS__SMTP_PASSWORD", "CATALOGIZER_ALERTS__SMTP_URL", "CATALOGIZER_ALERTS__WEBHOOK_SECRET", "CATALOGIZER_ALERTS__WEBHOOK_URL"] })
    error_message = "alerts are of the stream workers alone"
  }

  assert {
    condition     = join(" ", output.containers.stream.entryPoint) == "python -m cli.from_environment ALERTS_CA=/tmp/alerts-ca.pem KAFKA_CERTIFICATE=/tmp/kafka.pem --" && join(" ", output.containers.topics.entryPoint) == "python -m cli.from_environment KAFKA_CERTIFICATE=/tmp/kafka.pem --" && !can(output.containers.migrate.entryPoint)
    error_message = "authorities and certificates become files, where they are used"
  }

  assert {
    condition     = { for name, container in output.containers : name => [for entry in container.secrets : entry.valueFrom if entry.name == "KAFKA_CERTIFICATE"] } == { topics = ["arn:aws:secretsmanager:eu-central-1:123456789012:secret:operator-AbCdEf"], topics-acls = ["arn:aws:secretsmanager:eu-central-1:123456789012:secret:operator-AbCdEf"], stream = ["arn:aws:secretsmanager:eu-central-1:123456789012:secret:stream-AbCdEf"], project = ["arn:aws:secretsmanager:eu-central-1:123456789012:secret:project-AbCdEf"], serve = ["arn:aws:secretsmanager:eu-central-1:123456789012:secret:serve-AbCdEf"], migrate = [], admin = [] }
    error_message = "each has its own certificate"
  }

  assert {
    condition     = { for name, container in output.containers : name => [for entry in container.environment : entry.value if entry.name == "CATALOGIZER_LOG__LEVEL"] } == { for name in keys(output.containers) : name => ["WARNING"] } && contains(output.containers.serve.environment[*].name, "CATALOGIZER_TRACES__ENDPOINT") && contains(output.containers.project.environment[*].name, "CATALOGIZER_KAFKA__REQUEST_TIMEOUT_MS")
    error_message = "settings of all processes reach all"
  }

  assert {
    condition     = toset([for key, rule in aws_vpc_security_group_egress_rule.elsewhere : "${key} ${rule.to_port}"]) == toset(concat(["stream-587 587"], [for component in ["watch", "stream", "project", "serve"] : "${component}-4318 4318"], [for component in ["watch", "stream", "project", "serve", "topics"] : "${component}-8443 8443"]))
    error_message = "who connects to mail server, webhook, token endpoint and collector may do it, and nobody else"
  }

  assert {
    condition     = length([for arn in local.secret_arns.stream : arn if strcontains(arn, ":secret:alerts-AbCdEf")]) == 1 && contains(local.secret_arns.stream, "arn:aws:secretsmanager:eu-central-1:123456789012:secret:ca-AbCdEf") && [for component, arns in local.secret_arns : component if anytrue([for arn in arns : strcontains(arn, ":secret:alerts-AbCdEf")])] == ["stream"]
    error_message = "ECS may fetch these secrets for the stream workers alone"
  }

  assert {
    condition     = output.watch_file_arns == { "kafka.pem" = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:watch-AbCdEf" } && output.kafka_environment.CATALOGIZER_KAFKA__SSL_CERTFILE == "/tmp/kafka.pem"
    error_message = "a producer gets its own"
  }
}
