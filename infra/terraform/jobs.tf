# Tasks that run once, before the first start and after each update. They are the program's own commands, because the program
# has the table of topics and permissions, the migrations and the roles (docs/decisions/0040). All can be repeated at any time.

locals {
  owner_database = { CATALOGIZER_DATABASE__URL = module.database.owner_url }

  operator_acls = join("\n", [
    for arguments in module.topics_and_acls.operator_acls :
    "/opt/kafka/bin/kafka-acls.sh --bootstrap-server \"$BOOTSTRAP_SERVERS\" --command-config /tmp/client.properties --add --force ${arguments}"
  ])

  # name: its component (roles, secrets, network), its command
  jobs = {
    topics = {
      component   = "topics"
      command     = ["topics", "apply"]
      environment = local.kafka_environment["topics"]
      secrets     = lookup(local.kafka_password, "topics", {})
    }
    topics-acls = {
      component   = "topics"
      command     = ["topics", "acls", "--apply"]
      environment = local.kafka_environment["topics"]
      secrets     = lookup(local.kafka_password, "topics", {})
    }
    migrate = {
      component   = "migrate"
      command     = ["migrate"]
      environment = local.owner_database
      secrets = {
        PGPASSWORD                             = "${module.database.owner_secret_arn}:password::"
        CATALOGIZER_DATABASE__PROJECT_PASSWORD = "${local.database_roles.project}:password::"
        CATALOGIZER_DATABASE__SERVE_PASSWORD   = "${local.database_roles.serve}:password::"
      }
    }
    admin = {
      component   = "admin"
      command     = ["user", "admin"]
      environment = local.owner_database
      secrets = {
        PGPASSWORD                 = "${module.database.owner_secret_arn}:password::"
        CATALOGIZER_ADMIN_PASSWORD = "${module.secrets.arns["admin"]}:password::"
      }
    }
  }

  run = {
    for name, arn in merge({ for name, job in module.job : name => job.arn }, { for job in module.bootstrap : "bootstrap" => job.arn }) :
    name => join(" ", [
      "aws ecs run-task --cluster ${aws_ecs_cluster.this.name} --launch-type FARGATE --task-definition ${arn}",
      "--network-configuration 'awsvpcConfiguration={subnets=[${join(",", module.network.private_subnet_ids)}],securityGroups=[${aws_security_group.process[name == "bootstrap" ? name : local.jobs[name].component].id}]}'",
    ])
  }
}

module "job" {
  source   = "./modules/task"
  for_each = local.jobs

  name               = each.key
  installation       = var.name
  image              = var.image
  cpu_architecture   = var.cpu_architecture
  command            = each.value.command
  environment        = merge({ for name, value in var.environment : name => value if startswith(name, "CATALOGIZER_LOG__") }, each.value.environment, { CATALOGIZER_STATE_DIR = "/var/lib/catalogizer", CATALOGIZER_LOG__FORMAT = "json" })
  secrets            = each.value.secrets
  secret_files       = lookup(local.files, each.value.component, {})
  execution_role_arn = module.iam.execution_role_arns[each.value.component]
  task_role_arn      = module.iam.task_role_arns[each.value.component]
  kms_key_arn        = module.secrets.kms_key_arn
  log_retention_days = var.log_retention_days
  tags               = var.tags
}

# In a cluster without default permissions only clients that sign in by IAM may grant some. This task grants the operator its
# permissions, with Kafka's own tool and AWS's sign-in for it; the image is the operator's (README, step 2).
module "bootstrap" {
  source = "./modules/task"
  count  = var.kafka_tools_image == null || !local.kafka_made ? 0 : 1

  name               = "bootstrap"
  installation       = var.name
  image              = var.kafka_tools_image
  cpu                = 512
  memory             = 1024
  environment        = { BOOTSTRAP_SERVERS = module.kafka.bootstrap_servers_iam }
  entry_point        = ["sh", "-ec"]
  execution_role_arn = module.iam.execution_role_arns["bootstrap"]
  task_role_arn      = module.iam.task_role_arns["bootstrap"]
  kms_key_arn        = module.secrets.kms_key_arn
  log_retention_days = var.log_retention_days
  tags               = var.tags

  command = [join("\n", [
    "printf '%s\\n' security.protocol=SASL_SSL sasl.mechanism=AWS_MSK_IAM 'sasl.jaas.config=software.amazon.msk.auth.iam.IAMLoginModule required;' sasl.client.callback.handler.class=software.amazon.msk.auth.iam.IAMClientCallbackHandler > /tmp/client.properties",
    local.operator_acls,
  ])]
}
