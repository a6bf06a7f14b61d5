# The producer on each of its platforms.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  name              = "media"
  image             = "registry.example/catalogizer@sha256:0f"
  kms_key_arn       = "arn:aws:kms:eu-central-1:123456789012:key/k"
  kafka_environment = { CATALOGIZER_KAFKA__BOOTSTRAP_SERVERS = "kafka:9096", CATALOGIZER_KAFKA__SECURITY_PROTOCOL = "SASL_SSL", CATALOGIZER_KAFKA__SASL_MECHANISM = "SCRAM-SHA-512" }
  secret_arns       = { kafka = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:w", share = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:s" }
  roots = [
    { name = "films", library = "home", path = "/srv/media/films" },
    { name = "rushes", library = "home", share = { fsx_id = "fs-0", share = "rushes", user = "reader" } },
  ]
}

run "ecs" {
  variables {
    platform = "ecs-ec2"
    ecs      = { cluster_arn = "arn:aws:ecs:eu-central-1:123456789012:cluster/c", cluster_name = "c", subnet_id = "subnet-a", security_group_ids = ["sg-p"], execution_role_arn = "arn:aws:iam::123456789012:role/e", task_role_arn = "arn:aws:iam::123456789012:role/t", media_volume_id = "vol-0m" }
  }

  module {
    source = "./modules/producer"
  }

  assert {
    condition     = aws_instance.this["this"].metadata_options[0].http_tokens == "required" && aws_instance.this["this"].metadata_options[0].http_put_response_hop_limit == 1 && !aws_instance.this["this"].associate_public_ip_address && aws_instance.this["this"].root_block_device[0].encrypted
    error_message = "an instance whose containers do not reach its credentials"
  }

  assert {
    condition     = aws_ebs_volume.state["this"].encrypted && aws_ebs_volume.state["this"].kms_key_id == var.kms_key_arn && aws_volume_attachment.state["this"].device_name == "/dev/sdf" && aws_volume_attachment.media["this"].volume_id == "vol-0m"
    error_message = "state has a disk of its own"
  }

  assert {
    condition     = strcontains(aws_instance.this["this"].user_data, "vol0123456789abcdef0") && strcontains(aws_instance.this["this"].user_data, "auto ro,nofail") && strcontains(aws_instance.this["this"].user_data, "ECS_CLUSTER=c")
    error_message = "it mounts its disks, media read-only, and joins the cluster"
  }

  assert {
    condition     = aws_ecs_service.this["this"].desired_count == 1 && aws_ecs_service.this["this"].deployment_maximum_percent == 100 && one(aws_ecs_service.this["this"].placement_constraints).expression == "attribute:catalogizer.producer == producer"
    error_message = "one, on this instance, and never two on one state folder"
  }

  assert {
    condition     = output.container.secrets == [{ name = "CATALOGIZER_KAFKA__SASL_PASSWORD", valueFrom = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:w:password::" }, { name = "SHARE_PASSWORD", valueFrom = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:s" }]
    error_message = "secrets are fetched at the start"
  }

  assert {
    condition     = join(" ", output.container.entryPoint) == "python -m cli.from_environment SHARE_PASSWORD=/tmp/share-password --" && strcontains(output.environment.CATALOGIZER_PRODUCER__ROOTS, "\"password_file\":\"/tmp/share-password\"")
    error_message = "the share's password becomes a file, by the program itself because the image has no shell"
  }

  assert {
    condition     = keys(aws_iam_role.instance) == ["this"] && endswith(aws_iam_role_policy_attachment.instance["this"].policy_arn, "AmazonEC2ContainerServiceforEC2Role") && length(aws_iam_instance_profile.instance) == 1 && length(aws_iam_role.eks) == 0
    error_message = "the instance may be one of ECS's, and no more"
  }
}

run "eks" {
  variables {
    platform = "eks"
    eks      = { namespace = "media", oidc_provider_arn = "arn:aws:iam::123456789012:oidc-provider/oidc.example", oidc_provider_url = "oidc.example", media_claim = "media" }
  }

  module {
    source = "./modules/producer"
  }

  assert {
    condition     = [for document in split("---\n", output.manifest) : yamldecode(document).kind] == ["ServiceAccount", "SecretProviderClass", "StatefulSet"] && length(aws_iam_role.eks) == 1 && length(aws_iam_role_policy.eks) == 1 && length(aws_instance.this) + length(aws_ecs_service.this) == 0
    error_message = "a manifest and a role, and nothing that runs"
  }

  assert {
    condition     = [for mount in yamldecode(split("---\n", output.manifest)[2]).spec.template.spec.containers[0].volumeMounts : "${mount.mountPath} ${mount.readOnly}"] == ["/var/lib/catalogizer false", "/tmp false", "/mnt/secrets true", "/srv/media true"]
    error_message = "media and secrets are read-only"
  }
}

run "host" {
  variables {
    platform = "host"
  }

  module {
    source = "./modules/producer"
  }

  assert {
    condition     = length(aws_instance.this) + length(aws_ecs_service.this) + length(aws_iam_role.eks) == 0 && toset(output.secret_files) == toset(["kafka-password", "share-password"])
    error_message = "nothing is made; the operator is told which files he puts there"
  }

  assert {
    condition     = yamldecode(trimprefix(output.cloud_init, "#cloud-config\n")).runcmd[2] == ["systemctl", "enable", "--now", "docker.service", "catalogizer-watch.service"]
    error_message = "a unit of systemd runs it"
  }

  assert {
    condition     = strcontains(output.cloud_init, "ConditionPathExists=/etc/catalogizer/secrets/kafka-password") && strcontains(output.cloud_init, "--read-only") && strcontains(output.cloud_init, "/srv/media/films:/srv/media/films:ro")
    error_message = "which waits for its secrets, and reads media only"
  }

  assert {
    condition     = one(regexall("ExecStart=(?:.*\\\\\n)*.*", local.unit)) == "ExecStart=${join(" \\\n  ", local.run)}" && endswith(local.run[length(local.run) - 1], "sha256:0f watch")
    error_message = "the command is one, over its lines, to its end"
  }
}

run "eks_with_tokens_and_certificates" {
  variables {
    platform          = "eks"
    eks               = { namespace = "media", oidc_provider_arn = "arn:aws:iam::123456789012:oidc-provider/oidc.example", oidc_provider_url = "oidc.example" }
    environment       = { CATALOGIZER_PRODUCER__RECONCILE_SECONDS = "3600" }
    kafka_environment = { CATALOGIZER_KAFKA__BOOTSTRAP_SERVERS = "kafka:9096", CATALOGIZER_KAFKA__SASL_MECHANISM = "OAUTHBEARER", CATALOGIZER_KAFKA__SSL_CERTFILE = "/tmp/kafka.pem", CATALOGIZER_KAFKA__SSL_CAFILE = "/etc/ssl/kafka.pem" }
    secret_arns       = { kafka = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:w", kafka_files = { "kafka.pem" = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:c" }, share = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:s" }
  }

  module {
    source = "./modules/producer"
  }

  assert {
    condition     = { for one in yamldecode(split("---\n", output.manifest)[2]).spec.template.spec.containers[0].env : one.name => one.value if startswith(one.name, "CATALOGIZER_KAFKA__S") || endswith(one.name, "RECONCILE_SECONDS") } == { CATALOGIZER_KAFKA__SASL_MECHANISM = "OAUTHBEARER", CATALOGIZER_KAFKA__SASL_OAUTHBEARER_CLIENT_ID = "catalogizer-watch", CATALOGIZER_KAFKA__SASL_OAUTHBEARER_CLIENT_SECRET_FILE = "/mnt/secrets/kafka-password", CATALOGIZER_KAFKA__SSL_CERTFILE = "/mnt/secrets/kafka.pem", CATALOGIZER_KAFKA__SSL_CAFILE = "/etc/ssl/kafka.pem", CATALOGIZER_PRODUCER__RECONCILE_SECONDS = "3600" }
    error_message = "client id, client secret and certificate, where the files are"
  }

  assert {
    condition     = toset([for object in yamldecode(yamldecode(split("---\n", output.manifest)[1]).spec.parameters.objects) : object.objectName]) == toset(["arn:aws:secretsmanager:eu-central-1:123456789012:secret:c", "arn:aws:secretsmanager:eu-central-1:123456789012:secret:s", "arn:aws:secretsmanager:eu-central-1:123456789012:secret:w"])
    error_message = "which come of its secrets"
  }
}

run "host_with_a_certificate" {
  variables {
    platform          = "host"
    roots             = [{ name = "films", library = "home", path = "/srv/media/films" }]
    kafka_environment = { CATALOGIZER_KAFKA__BOOTSTRAP_SERVERS = "kafka:9096", CATALOGIZER_KAFKA__SECURITY_PROTOCOL = "SSL", CATALOGIZER_KAFKA__SSL_CERTFILE = "/tmp/kafka.pem" }
    secret_arns       = { kafka_files = { "kafka.pem" = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:c" } }
  }

  module {
    source = "./modules/producer"
  }

  assert {
    condition     = toset(output.secret_files) == toset(["kafka.pem"]) && output.environment.CATALOGIZER_KAFKA__SSL_CERTFILE == "/run/catalogizer/kafka.pem" && strcontains(output.cloud_init, "ConditionPathExists=/etc/catalogizer/secrets/kafka.pem") && strcontains(output.cloud_init, "--volume /etc/catalogizer/secrets:/run/catalogizer:ro")
    error_message = "the operator puts the certificate there"
  }
}

run "a_certificate_without_its_secret_is_refused" {
  command = plan

  variables {
    platform          = "host"
    kafka_environment = { CATALOGIZER_KAFKA__BOOTSTRAP_SERVERS = "kafka:9096", CATALOGIZER_KAFKA__SSL_CERTFILE = "/tmp/kafka.pem" }
  }

  module {
    source = "./modules/producer"
  }

  expect_failures = [var.secret_arns]
}

run "a_share_without_a_password_is_refused" {
  command = plan

  variables {
    platform    = "host"
    secret_arns = { kafka = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:w" }
  }

  module {
    source = "./modules/producer"
  }

  expect_failures = [var.secret_arns]
}

run "a_root_without_a_place_is_refused" {
  command = plan

  variables {
    platform = "host"
    roots    = [{ name = "films", library = "home" }]
  }

  module {
    source = "./modules/producer"
  }

  expect_failures = [var.roots]
}
