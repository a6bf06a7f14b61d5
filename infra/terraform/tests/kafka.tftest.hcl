# The log, resource by resource.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  name                       = "media"
  vpc_id                     = "vpc-1"
  private_subnet_ids         = ["subnet-a", "subnet-b", "subnet-c"]
  kms_key_arn                = "arn:aws:kms:eu-central-1:123456789012:key/k"
  client_security_groups     = { watch = "sg-w", serve = "sg-s" }
  iam_client_security_groups = { bootstrap = "sg-b" }
  scram_secret_arns          = { watch = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:AmazonMSK_w" }
}

run "cluster" {
  module {
    source = "./modules/kafka"
  }

  assert {
    condition     = aws_msk_cluster.this[0].number_of_broker_nodes == 3 && aws_msk_cluster.this[0].broker_node_group_info[0].client_subnets == toset(["subnet-a", "subnet-b", "subnet-c"])
    error_message = "a broker stands in each of three zones"
  }

  assert {
    condition     = aws_msk_cluster.this[0].encryption_info[0].encryption_in_transit[0].client_broker == "TLS" && aws_msk_cluster.this[0].encryption_info[0].encryption_in_transit[0].in_cluster && aws_msk_cluster.this[0].encryption_info[0].encryption_at_rest_kms_key_arn == var.kms_key_arn
    error_message = "TLS everywhere, and disks with the platform's key"
  }

  assert {
    condition     = aws_msk_cluster.this[0].client_authentication[0].sasl[0].scram && aws_msk_cluster.this[0].client_authentication[0].sasl[0].iam && !aws_msk_cluster.this[0].client_authentication[0].unauthenticated
    error_message = "SCRAM and IAM, and nobody without either"
  }

  assert {
    condition = toset(split("\n", aws_msk_configuration.this[0].server_properties)) == toset([
      "auto.create.topics.enable=false", "allow.everyone.if.no.acl.found=false", "default.replication.factor=3", "min.insync.replicas=2",
      "unclean.leader.election.enable=false", "log.message.timestamp.type=LogAppendTime", "offsets.retention.minutes=43200",
      "transaction.state.log.replication.factor=3", "transaction.state.log.min.isr=2",
    ])
    error_message = "no topic makes itself or is everybody's, and what is acknowledged is on two brokers"
  }

  assert {
    condition     = { for name, rule in aws_vpc_security_group_ingress_rule.scram : name => [rule.referenced_security_group_id, rule.from_port, rule.to_port] } == { watch = ["sg-w", 9096, 9096], serve = ["sg-s", 9096, 9096] }
    error_message = "SCRAM from the clients alone"
  }

  assert {
    condition     = { for name, rule in aws_vpc_security_group_ingress_rule.iam : name => [rule.referenced_security_group_id, rule.from_port, rule.to_port] } == { bootstrap = ["sg-b", 9098, 9098] }
    error_message = "IAM from its clients alone"
  }

  assert {
    condition     = aws_msk_scram_secret_association.this[0].secret_arn_list == toset(values(var.scram_secret_arns))
    error_message = "the users are those of the secrets"
  }

  assert {
    condition     = aws_appautoscaling_target.storage[0].max_capacity == 1000 && aws_appautoscaling_policy.storage[0].target_tracking_scaling_policy_configuration[0].disable_scale_in && aws_appautoscaling_policy.storage[0].target_tracking_scaling_policy_configuration[0].target_value == 60
    error_message = "disks grow at 60 % up to their bound, and never shrink"
  }

  assert {
    condition     = aws_cloudwatch_log_group.brokers[0].kms_key_id == var.kms_key_arn && aws_cloudwatch_log_group.brokers[0].retention_in_days == 365 && aws_msk_cluster.this[0].logging_info[0].broker_logs[0].cloudwatch_logs[0].enabled
    error_message = "brokers log, encrypted and for a year"
  }

  assert {
    condition     = output.environment == { CATALOGIZER_KAFKA__BOOTSTRAP_SERVERS = "b-1.log.kafka.example:9096,b-2.log.kafka.example:9096", CATALOGIZER_KAFKA__SECURITY_PROTOCOL = "SASL_SSL", CATALOGIZER_KAFKA__REPLICATION_FACTOR = "3", CATALOGIZER_KAFKA__SASL_MECHANISM = "SCRAM-SHA-512" }
    error_message = "clients are told all but user and password"
  }
}

run "existing" {
  command = plan

  variables {
    existing = { bootstrap_servers = "kafka:9092", security_protocol = "PLAINTEXT", replication = 1 }
  }

  module {
    source = "./modules/kafka"
  }

  assert {
    condition     = length(aws_msk_cluster.this) + length(aws_msk_configuration.this) + length(aws_security_group.this) + length(aws_msk_scram_secret_association.this) + length(aws_appautoscaling_target.storage) + length(aws_cloudwatch_log_group.brokers) + length(aws_vpc_security_group_ingress_rule.scram) == 0
    error_message = "nothing is made beside brokers that are there"
  }

  assert {
    condition     = output.environment == { CATALOGIZER_KAFKA__BOOTSTRAP_SERVERS = "kafka:9092", CATALOGIZER_KAFKA__SECURITY_PROTOCOL = "PLAINTEXT", CATALOGIZER_KAFKA__REPLICATION_FACTOR = "1" } && !output.signs_in
    error_message = "they are used with the security that they have"
  }
}

run "existing_with_tokens" {
  command = plan

  variables {
    existing = {
      bootstrap_servers = "kafka:9093"
      sasl_mechanism    = "OAUTHBEARER"
      ca_secret_arn     = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:ca"
      oauthbearer       = { token_endpoint_url = "https://id.example/token", scope = "kafka", ca_secret_arn = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:company" }
    }
  }

  module {
    source = "./modules/kafka"
  }

  assert {
    condition     = { for name, value in output.environment : name => value if startswith(name, "CATALOGIZER_KAFKA__S") } == { CATALOGIZER_KAFKA__SECURITY_PROTOCOL = "SASL_SSL", CATALOGIZER_KAFKA__SASL_MECHANISM = "OAUTHBEARER", CATALOGIZER_KAFKA__SASL_OAUTHBEARER_TOKEN_ENDPOINT_URL = "https://id.example/token", CATALOGIZER_KAFKA__SASL_OAUTHBEARER_SCOPE = "kafka", CATALOGIZER_KAFKA__SASL_OAUTHBEARER_CAFILE = "/tmp/token-ca.pem", CATALOGIZER_KAFKA__SSL_CAFILE = "/tmp/kafka-ca.pem" } && output.signs_in && output.with_tokens
    error_message = "tokens are requested at the endpoint, by client id and secret"
  }

  assert {
    condition     = output.files.stream == output.files.operator && { for name, file in output.files.stream : name => file.path } == { KAFKA_CA = "/tmp/kafka-ca.pem", TOKEN_CA = "/tmp/token-ca.pem" }
    error_message = "authorities are files of every task"
  }
}

run "existing_with_certificates" {
  command = plan

  variables {
    existing = {
      bootstrap_servers       = "kafka:9093"
      security_protocol       = "SSL"
      ca_file                 = "/etc/ssl/kafka.pem"
      certificate_secret_arns = { for user in ["watch", "stream", "project", "serve", "operator"] : user => "arn:aws:secretsmanager:eu-central-1:123456789012:secret:${user}" }
    }
  }

  module {
    source = "./modules/kafka"
  }

  assert {
    condition     = { for name, value in output.environment : name => value if startswith(name, "CATALOGIZER_KAFKA__S") } == { CATALOGIZER_KAFKA__SECURITY_PROTOCOL = "SSL", CATALOGIZER_KAFKA__SSL_CAFILE = "/etc/ssl/kafka.pem", CATALOGIZER_KAFKA__SSL_CERTFILE = "/tmp/kafka.pem" } && !output.signs_in && !output.with_tokens
    error_message = "a certificate instead of a password"
  }

  assert {
    condition     = { for user, files in output.files : user => files.KAFKA_CERTIFICATE } == { for user in ["watch", "stream", "project", "serve", "operator"] : user => { path = "/tmp/kafka.pem", arn = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:${user}" } }
    error_message = "each component has its own"
  }
}

run "a_password_in_the_servers_is_refused" {
  command = plan

  variables {
    existing = { bootstrap_servers = "user:word@kafka:9092" }
  }

  module {
    source = "./modules/kafka"
  }

  expect_failures = [var.existing]
}

run "two_zones_are_refused" {
  command = plan

  variables {
    private_subnet_ids = ["subnet-a", "subnet-b"]
  }

  module {
    source = "./modules/kafka"
  }

  expect_failures = [var.private_subnet_ids]
}
