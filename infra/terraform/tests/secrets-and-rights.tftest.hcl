# Secrets, topics, permissions and IAM: least privilege spelled out as data.

mock_provider "aws" {
  source = "./tests/mocks"
}

run "table" {
  variables {
    name         = "media"
    topic_prefix = "media."
    lanes        = 8
  }

  module {
    source = "./modules/topics-and-acls"
  }

  assert {
    condition     = output.topics["media.catalog.fs.raw.v1"].partitions == 8 && output.topics["media.catalog.meta.v1"].partitions == 1 && output.topics["media.catalog.fs.raw.v1"].config["retention.ms"] == "-1"
    error_message = "a topic has as many partitions as there are lanes, or its own number"
  }

  assert {
    condition     = output.rights.watch == { principal = "User:catalogizer-watch", reads = ["media.catalog.control.v1", "media.catalog.leases.v1", "media.catalog.meta.v1"], writes = ["media.catalog.fs.raw.v1", "media.catalog.leases.v1", "media.catalog.system.reports.v1"], groups = [], transactions = [], describes = [], describes_groups = [] }
    error_message = "a producer writes the change log, leases and reports, and reads what it is asked"
  }

  assert {
    condition     = output.components == toset(["watch", "stream", "project", "serve", "operator"])
    error_message = "who signs in to Kafka"
  }

  assert {
    condition     = output.lag == { stream = { group = "media.catalogizer.library", topics = ["media.catalog.fs.raw.v1"] }, project = { group = "media.catalogizer.projector", topics = ["media.catalog.fs.changes.v1", "media.catalog.media.updates.v1", "media.catalog.analysis.updates.v1", "media.catalog.system.updates.v1", "media.catalog.covers.v1"] } }
    error_message = "what lag is measured by"
  }

  assert {
    condition     = length(output.operator_acls) == 4 && alltrue([for call in output.operator_acls : startswith(call, "--allow-principal User:catalogizer-operator --operation ")])
    error_message = "the operator is made by four calls"
  }
}

run "iam" {
  variables {
    name              = "media"
    kms_key_arn       = "arn:aws:kms:eu-central-1:123456789012:key/k"
    kafka_cluster_arn = "arn:aws:kafka:eu-central-1:123456789012:cluster/media/5cbd1a5e-2"
    kafka_policies    = true
    kafka_rights      = run.table.rights
    analyst_topics    = ["media.catalog.fs.changes.v1"]
    secret_arns       = { watch = ["arn:aws:secretsmanager:eu-central-1:123456789012:secret:w"], bootstrap = [] }
    log_group_arns    = { watch = ["arn:aws:logs:eu-central-1:123456789012:log-group:/catalogizer/media/watch"], bootstrap = ["arn:aws:logs:eu-central-1:123456789012:log-group:/catalogizer/media/bootstrap"] }

    make_bootstrap_role = true
  }

  module {
    source = "./modules/iam"
  }

  assert {
    condition = output.kafka_statements["watch-writes"] == [
      { sid = "Connect", actions = ["kafka-cluster:Connect", "kafka-cluster:DescribeCluster", "kafka-cluster:WriteDataIdempotently"], resources = ["arn:aws:kafka:eu-central-1:123456789012:cluster/media/5cbd1a5e-2"] },
      { sid = "Write", actions = ["kafka-cluster:DescribeTopic", "kafka-cluster:WriteData"], resources = [
        "arn:aws:kafka:eu-central-1:123456789012:topic/media/5cbd1a5e-2/media.catalog.fs.raw.v1",
        "arn:aws:kafka:eu-central-1:123456789012:topic/media/5cbd1a5e-2/media.catalog.leases.v1",
        "arn:aws:kafka:eu-central-1:123456789012:topic/media/5cbd1a5e-2/media.catalog.system.reports.v1",
      ] },
    ]
    error_message = "what a producer may write, topic by topic"
  }

  assert {
    condition     = [for statement in output.kafka_statements["stream-reads"] : statement.resources if statement.sid == "Groups"][0] == [for group in ["library", "streams.*", "requested.*", "gaps", "alerting", "alerts"] : "arn:aws:kafka:eu-central-1:123456789012:group/media/5cbd1a5e-2/media.catalogizer.${group}"]
    error_message = "its groups and no others; a dot at the end means all that begin so"
  }

  assert {
    condition     = [for statement in output.kafka_statements["serve-reads"] : statement.resources if statement.sid == "DescribeGroups"][0] == ["arn:aws:kafka:eu-central-1:123456789012:group/media/5cbd1a5e-2/media.catalogizer.*"]
    error_message = "a gateway sees where every group of the installation stands, and joins none"
  }

  assert {
    condition     = [for statement in output.kafka_statements["stream-writes"] : statement.resources if statement.sid == "Transactions"][0] == ["arn:aws:kafka:eu-central-1:123456789012:transactional-id/media/5cbd1a5e-2/media.catalogizer.library.*"]
    error_message = "the fold's transactions"
  }

  assert {
    condition     = alltrue([for name, statements in output.kafka_statements : alltrue([for statement in statements : !contains(statement.resources, "*") && length(statement.resources) > 0])])
    error_message = "no policy of Kafka is about everything, and none about nothing"
  }

  assert {
    condition     = output.kafka_statements["admin"][0].actions == ["kafka-cluster:Connect", "kafka-cluster:DescribeCluster", "kafka-cluster:AlterCluster"] && length(output.kafka_statements["admin"]) == 1
    error_message = "who makes the operator reads and writes nothing"
  }

  assert {
    condition     = flatten(output.kafka_statements["analyst"][*].actions) == ["kafka-cluster:Connect", "kafka-cluster:DescribeCluster", "kafka-cluster:DescribeTopic", "kafka-cluster:ReadData", "kafka-cluster:DescribeGroup", "kafka-cluster:AlterGroup"] && output.kafka_statements["analyst"][2].resources == ["arn:aws:kafka:eu-central-1:123456789012:group/media/5cbd1a5e-2/analytics.*"]
    error_message = "analysts read, in groups of their own"
  }

  assert {
    condition     = max([for statements in values(output.kafka_statements) : length(jsonencode({ Version = "2012-10-17", Statement = [for statement in statements : { Sid = statement.sid, Effect = "Allow", Action = statement.actions, Resource = statement.resources }] }))]...) < 6144
    error_message = "each fits into what IAM takes"
  }

  assert {
    condition     = jsonencode({ for statement in output.execution_statements.watch : statement.sid => statement.resources }) == jsonencode({ SignInToRegistry = ["*"], FetchImage = ["arn:*:ecr:*:123456789012:repository/*"], WriteLog = ["arn:aws:logs:eu-central-1:123456789012:log-group:/catalogizer/media/watch:*"], FetchSecrets = ["arn:aws:secretsmanager:eu-central-1:123456789012:secret:w"], Decrypt = ["arn:aws:kms:eu-central-1:123456789012:key/k"] })
    error_message = "ECS fetches this component's secrets and no others"
  }

  assert {
    condition     = output.execution_statements.bootstrap[*].sid == ["SignInToRegistry", "FetchImage", "WriteLog"]
    error_message = "who has no secrets fetches none"
  }

  assert {
    condition     = keys(aws_iam_role.task) == ["bootstrap", "watch"] && keys(aws_iam_role.execution) == ["bootstrap", "watch"] && keys(aws_iam_role_policy.execution) == ["bootstrap", "watch"] && length(aws_iam_role_policy_attachment.bootstrap) == 1 && length(aws_iam_policy.kafka) == 10
    error_message = "two roles each; a process's own may nothing, but bootstrap's"
  }
}

run "no_cluster_of_msk" {
  command = plan

  variables {
    name           = "media"
    kms_key_arn    = "arn:aws:kms:eu-central-1:123456789012:key/k"
    kafka_rights   = run.table.rights
    secret_arns    = { watch = [] }
    log_group_arns = {}
  }

  module {
    source = "./modules/iam"
  }

  assert {
    condition     = length(aws_iam_policy.kafka) == 0
    error_message = "without MSK there is no policy of its"
  }
}

run "secrets" {
  variables {
    name       = "media"
    components = ["watch", "operator"]
    versions   = { token = 3 }
    given      = {}
  }

  module {
    source = "./modules/secrets"
  }

  assert {
    condition     = { for key, secret in aws_secretsmanager_secret.this : key => secret.name } == { "kafka/watch" = "AmazonMSK_media_watch", "kafka/operator" = "AmazonMSK_media_operator", "database/catalogizer_project" = "media/database/catalogizer_project", "database/catalogizer_serve" = "media/database/catalogizer_serve", token = "media/token", admin = "media/admin" }
    error_message = "a secret for each user and role; MSK takes its own only under its prefix"
  }

  assert {
    condition     = alltrue([for secret in aws_secretsmanager_secret.this : secret.kms_key_id == aws_kms_key.this.arn && secret.recovery_window_in_days == 30]) && aws_kms_key.this.enable_key_rotation && aws_kms_alias.this.name == "alias/catalogizer-media"
    error_message = "all with the platform's key, which is rotated; MSK refuses AWS's own key"
  }

  assert {
    condition     = alltrue([for version in aws_secretsmanager_secret_version.this : version.secret_string == null && version.secret_string_wo == null]) && { for key, version in aws_secretsmanager_secret_version.this : key => version.secret_string_wo_version if version.secret_string_wo_version != 1 } == { token = 3 }
    error_message = "no value is in the state; a higher number makes one anew"
  }

  assert {
    condition     = keys(aws_secretsmanager_secret_policy.kafka) == ["kafka/operator", "kafka/watch"]
    error_message = "MSK may read Kafka's secrets and no others"
  }
}
