# Permissions in AWS. Each component has two roles: ECS's, which may fetch the image and only that component's secrets, and the
# process's own, which has no permissions, because the processes use Kafka and PostgreSQL by password and no service of AWS.
# There are also policies for MSK's IAM access, computed from the platform's own table: for analysts, for the administrator, and
# with each component's rights for clients that replace it.

locals {
  components = toset(keys(var.secret_arns))

  # arn:PARTITION:kafka:REGION:ACCOUNT:cluster/NAME/UUID
  arn     = var.kafka_policies ? split(":", var.kafka_cluster_arn) : ["", "", "", "", "", ""]
  kafka   = join(":", slice(local.arn, 0, 5))
  cluster = trimprefix(local.arn[5], "cluster/")

  topic = "${local.kafka}:topic/${local.cluster}"
  group = "${local.kafka}:group/${local.cluster}"
  txid  = "${local.kafka}:transactional-id/${local.cluster}"

  rights = { for component, rights in var.kafka_rights : component => rights if var.kafka_policies }

  # Kafka's permissions as IAM actions: a dot at the end of a name means all names with that prefix.
  statements = {
    for component, rights in local.rights : component => {
      reads = concat(
        [
          { sid = "Connect", actions = ["kafka-cluster:Connect", "kafka-cluster:DescribeCluster"], resources = [var.kafka_cluster_arn] },
          { sid = "Read", actions = ["kafka-cluster:DescribeTopic", "kafka-cluster:ReadData"], resources = [for name in rights.reads : "${local.topic}/${name}"] },
        ],
        length(rights.groups) == 0 ? [] : [
          { sid = "Groups", actions = ["kafka-cluster:DescribeGroup", "kafka-cluster:AlterGroup"], resources = [for name in rights.groups : endswith(name, ".") ? "${local.group}/${name}*" : "${local.group}/${name}"] },
        ],
        length(rights.describes) == 0 ? [] : [
          { sid = "Describe", actions = ["kafka-cluster:DescribeTopic"], resources = [for name in rights.describes : "${local.topic}/${name}"] },
        ],
        length(rights.describes_groups) == 0 ? [] : [
          { sid = "DescribeGroups", actions = ["kafka-cluster:DescribeGroup"], resources = [for name in rights.describes_groups : endswith(name, ".") ? "${local.group}/${name}*" : "${local.group}/${name}"] },
        ],
      )
      writes = concat(
        [
          { sid = "Connect", actions = ["kafka-cluster:Connect", "kafka-cluster:DescribeCluster", "kafka-cluster:WriteDataIdempotently"], resources = [var.kafka_cluster_arn] },
          { sid = "Write", actions = ["kafka-cluster:DescribeTopic", "kafka-cluster:WriteData"], resources = [for name in rights.writes : "${local.topic}/${name}"] },
        ],
        length(rights.transactions) == 0 ? [] : [
          { sid = "Transactions", actions = ["kafka-cluster:DescribeTransactionalId", "kafka-cluster:AlterTransactionalId"], resources = [for name in rights.transactions : endswith(name, ".") ? "${local.txid}/${name}*" : "${local.txid}/${name}"] },
        ],
      )
    }
  }

  # One policy for reading and one for writing: together they would be longer than IAM's 6144 characters.
  component_policies = merge(
    { for component, policies in local.statements : "${component}-reads" => policies.reads },
    { for component, policies in local.statements : "${component}-writes" => policies.writes },
  )

  analyst = { for name, topics in { analyst = var.analyst_topics } : name => [
    { sid = "Connect", actions = ["kafka-cluster:Connect", "kafka-cluster:DescribeCluster"], resources = [var.kafka_cluster_arn] },
    { sid = "Read", actions = ["kafka-cluster:DescribeTopic", "kafka-cluster:ReadData"], resources = [for name in var.analyst_topics : "${local.topic}/${name}"] },
    { sid = "Groups", actions = ["kafka-cluster:DescribeGroup", "kafka-cluster:AlterGroup"], resources = ["${local.group}/${var.analyst_groups}"] },
  ] if var.kafka_policies && length(topics) > 0 }

  # The administrator, which grants the operator its permissions, once. It reads and writes no records.
  admin = { for name in ["admin"] : name => [
    { sid = "Permissions", actions = ["kafka-cluster:Connect", "kafka-cluster:DescribeCluster", "kafka-cluster:AlterCluster"], resources = [var.kafka_cluster_arn] },
  ] if var.kafka_policies }

  policies = merge(local.component_policies, local.analyst, local.admin)
}

data "aws_caller_identity" "current" {}

data "aws_iam_policy_document" "tasks_trust" {
  statement {
    actions = ["sts:AssumeRole"]
    principals {
      type        = "Service"
      identifiers = ["ecs-tasks.amazonaws.com"]
    }
    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [data.aws_caller_identity.current.account_id]
    }
  }
}

resource "aws_iam_role" "task" {
  for_each = local.components

  name                 = "${var.name}-${each.key}-task"
  description          = "Catalogizer ${var.name}: the process ${each.key}, which may nothing in AWS"
  assume_role_policy   = data.aws_iam_policy_document.tasks_trust.json
  max_session_duration = 3600
  tags                 = var.tags
}

resource "aws_iam_role" "execution" {
  for_each = local.components

  name                 = "${var.name}-${each.key}-execution"
  description          = "Catalogizer ${var.name}: ECS, to start ${each.key}"
  assume_role_policy   = data.aws_iam_policy_document.tasks_trust.json
  max_session_duration = 3600
  tags                 = var.tags
}

locals {
  # The permissions that ECS needs to start a component, as data.
  execution = {
    for component in local.components : component => concat(
      [
        { sid = "SignInToRegistry", actions = ["ecr:GetAuthorizationToken"], resources = ["*"] },
        { sid = "FetchImage", actions = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"], resources = ["arn:*:ecr:*:${data.aws_caller_identity.current.account_id}:repository/*"] },
        { sid = "WriteLog", actions = ["logs:CreateLogStream", "logs:PutLogEvents"], resources = [for arn in lookup(var.log_group_arns, component, []) : "${arn}:*"] },
      ],
      length(var.secret_arns[component]) == 0 ? [] : [
        { sid = "FetchSecrets", actions = ["secretsmanager:GetSecretValue"], resources = var.secret_arns[component] },
        { sid = "Decrypt", actions = ["kms:Decrypt"], resources = [var.kms_key_arn] },
      ],
    )
  }
}

data "aws_iam_policy_document" "execution" {
  #checkov:skip=CKV_AWS_356:ecr:GetAuthorizationToken knows no resource but *; all else names its own
  for_each = local.components

  dynamic "statement" {
    for_each = [for statement in local.execution[each.key] : statement if length(statement.resources) > 0]
    content {
      sid       = statement.value.sid
      actions   = statement.value.actions
      resources = statement.value.resources
    }
  }
}

resource "aws_iam_role_policy" "execution" {
  for_each = local.components

  name   = "start"
  role   = aws_iam_role.execution[each.key].id
  policy = data.aws_iam_policy_document.execution[each.key].json
}

data "aws_iam_policy_document" "kafka" {
  for_each = local.policies

  dynamic "statement" {
    for_each = each.value
    content {
      sid       = statement.value.sid
      actions   = statement.value.actions
      resources = statement.value.resources
    }
  }
}

resource "aws_iam_policy" "kafka" {
  for_each = local.policies

  name        = "${var.name}-kafka-${each.key}"
  description = "Catalogizer ${var.name}: MSK by IAM, ${each.key}"
  policy      = data.aws_iam_policy_document.kafka[each.key].json
  tags        = var.tags
}

# The task that grants the operator its permissions (topics-and-acls, operator_acls), if the installation has it.
resource "aws_iam_role_policy_attachment" "bootstrap" {
  count = contains(keys(var.secret_arns), "bootstrap") && var.make_bootstrap_role ? 1 : 0

  role       = aws_iam_role.task["bootstrap"].name
  policy_arn = aws_iam_policy.kafka["admin"].arn
}
