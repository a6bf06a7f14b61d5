# The smallest example as a whole: every container that comes of it. The others: examples.tftest.hcl, in the long run.

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

run "basic" {
  module {
    source = "./examples/basic"
  }

  assert {
    condition     = toset(keys(output.containers)) == toset(["topics", "topics-acls", "migrate", "admin", "stream", "project", "serve"])
    error_message = "every process and job has a container, and there is no other"
  }

  assert {
    condition     = alltrue([for container in output.containers : container.readonlyRootFilesystem && container.user == "10001:10001" && container.linuxParameters.capabilities.drop == ["ALL"]])
    error_message = "each is nobody's user with a read-only root file system and no capability"
  }

  assert {
    condition     = output.containers.serve.environment[index(output.containers.serve.environment[*].name, "CATALOGIZER_DATABASE__URL")].value == "postgresql://catalogizer_serve@db.example:5432/catalogizer?sslmode=require"
    error_message = "a gateway is catalogizer_serve in the database, and its password is not in the address"
  }

  assert {
    condition     = toset(output.containers.migrate.secrets[*].name) == toset(["PGPASSWORD", "CATALOGIZER_DATABASE__PROJECT_PASSWORD", "CATALOGIZER_DATABASE__SERVE_PASSWORD"])
    error_message = "migrate is the owner and gives the other roles their passwords"
  }

  assert {
    condition     = toset(keys(output.run)) == toset(["topics", "topics-acls", "migrate", "admin"]) && strcontains(output.run.migrate, "aws ecs run-task --cluster catalogizer ")
    error_message = "there is a command for each task that runs once"
  }

  assert {
    condition     = startswith(output.producer.cloud_init, "#cloud-config\n") && !strcontains(output.producer.cloud_init, "0123456789abcdef")
    error_message = "the producer at home comes of cloud-init, in which no secret is"
  }
}
