# The other examples as wholes. They take long: `python -m tools.terraform test`.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  image            = "registry.example/catalogizer:0.1.0"
  public_url       = "https://media.example"
  certificate_arn  = "arn:aws:acm:eu-central-1:123456789012:certificate/c"
  run_processes    = true
  generate_secrets = false
  given_secrets = {
    "kafka/watch"                  = "0123456789abcdef", "kafka/stream" = "0123456789abcdef", "kafka/project" = "0123456789abcdef",
    "kafka/serve"                  = "0123456789abcdef", "kafka/operator" = "0123456789abcdef", token = "0123456789abcdef",
    "database/catalogizer_project" = "0123456789abcdef", "database/catalogizer_serve" = "0123456789abcdef", admin = "0123456789abcdef"
  }
}

run "complete" {
  variables {
    kafka_tools_image = "registry.example/kafka-tools:1"
    access_log_bucket = "logs"
    oidc_secret_arn   = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:oidc-AbCdEf"
    share_secret_arn  = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:share-AbCdEf"
    fsx_id            = "fs-0123"
    media_volume_id   = "vol-0aaa"
  }

  module {
    source = "./examples/complete"
  }

  assert {
    condition     = output.containers.stream.environment[index(output.containers.stream.environment[*].name, "CATALOGIZER_KAFKA__TOPIC_PREFIX")].value == "media."
    error_message = "the prefix reaches the processes"
  }

  assert {
    condition     = contains(output.containers.serve.secrets[*].name, "CATALOGIZER_GATEWAY__OIDC")
    error_message = "further secrets reach the gateways"
  }

  assert {
    condition     = output.containers.serve.environment[index(output.containers.serve.environment[*].name, "CATALOGIZER_GATEWAY__TRUSTED_PROXIES")].value == jsonencode(["10.60.128.0/20", "10.60.144.0/20", "10.60.160.0/20"])
    error_message = "an internal load balancer stands in the private subnets, which are trusted then, and no other"
  }

  assert {
    condition     = strcontains(output.producer.environment.CATALOGIZER_PRODUCER__ROOTS, "fs-0123.studio.example") && join(" ", output.producer.container.entryPoint) == "python -m cli.from_environment SHARE_PASSWORD=/tmp/share-password --"
    error_message = "FSx is found by its id, and the share's password goes into a file"
  }

  assert {
    condition     = toset([for mount in output.producer.container.mountPoints : "${mount.containerPath} ${mount.readOnly}"]) == toset(["/tmp false", "/var/lib/catalogizer false", "/srv/media true"])
    error_message = "state is kept on the host, media are read-only"
  }

  assert {
    condition     = contains(keys(output.run), "bootstrap") && strcontains(output.run.bootstrap, "aws ecs run-task")
    error_message = "with an image of Kafka's tools the operator is made by a task"
  }
}

run "existing_kafka" {
  variables {
    bootstrap_servers = "kafka-1.example:9094,kafka-2.example:9094"
    share_secret_arn  = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:share-AbCdEf"
    eks               = { namespace = "media", oidc_provider_arn = "arn:aws:iam::123456789012:oidc-provider/oidc.example", oidc_provider_url = "oidc.example" }
    network = {
      vpc_id               = "vpc-9"
      private_subnet_ids   = ["subnet-a", "subnet-b", "subnet-c"]
      private_subnet_cidrs = ["10.20.0.0/24", "10.20.1.0/24", "10.20.2.0/24"]
      public_subnet_ids    = ["subnet-d", "subnet-e"]
      public_subnet_cidrs  = ["10.20.10.0/24", "10.20.11.0/24"]
    }
  }

  module {
    source = "./examples/existing-kafka"
  }

  assert {
    condition     = { for entry in output.containers.topics.environment : entry.name => entry.value if startswith(entry.name, "CATALOGIZER_KAFKA__S") || endswith(entry.name, "SERVERS") } == { CATALOGIZER_KAFKA__BOOTSTRAP_SERVERS = "kafka-1.example:9094,kafka-2.example:9094", CATALOGIZER_KAFKA__SECURITY_PROTOCOL = "SASL_SSL", CATALOGIZER_KAFKA__SASL_MECHANISM = "SCRAM-SHA-256", CATALOGIZER_KAFKA__SASL_USERNAME = "catalogizer-operator", CATALOGIZER_KAFKA__SSL_CAFILE = "/etc/ssl/kafka.pem" }
    error_message = "brokers are used as they are, with their own security"
  }

  assert {
    condition     = [for document in split("---\n", output.manifest) : yamldecode(document).kind] == ["ServiceAccount", "SecretProviderClass", "StatefulSet"]
    error_message = "the producer on Kubernetes is an account, its secrets and a stateful set"
  }

  assert {
    condition     = yamldecode(split("---\n", output.manifest)[2]).spec.template.spec.containers[0].securityContext == { allowPrivilegeEscalation = false, readOnlyRootFilesystem = true, capabilities = { drop = ["ALL"] } }
    error_message = "it is as bounded there as anywhere"
  }
}

run "basic_before_the_jobs" {
  variables {
    run_processes = false
  }

  module {
    source = "./examples/basic"
  }

  assert {
    condition     = toset(keys(output.containers)) == toset(["topics", "topics-acls", "migrate", "admin"]) && output.dns_name == null
    error_message = "without run_processes there are the tasks that run once, and nothing that would wait for them"
  }
}
