# One task definition of the platform's image, with the same limits as in docker-compose.yml: an unprivileged user, no
# capabilities, a read-only root file system; secrets are fetched at each start and stored nowhere.

locals {
  writable = { tmp = "/tmp", state = "/var/lib/catalogizer" }
  held     = setintersection(keys(local.writable), keys(var.host_mounts)) # a folder of the host instead of an empty one
  empty    = { for name, path in local.writable : name => path if !contains(local.held, name) }

  health = {
    # Liveness, not readiness: otherwise ECS would restart a process that only waits for Kafka or the database, in vain.
    command     = ["CMD", "python", "-m", "cli.health", tostring(var.health_port), "--live"]
    interval    = 30
    timeout     = 5
    retries     = 3
    startPeriod = 120
  }

  # ECS passes secrets only in the environment. The program's own module writes the files, because the image has no shell.
  written     = [for name in sort(keys(var.secret_files)) : "${name}=${var.secret_files[name].path}"]
  entry_point = length(local.written) == 0 ? var.entry_point : concat(["python", "-m", "cli.from_environment"], local.written, ["--"])
  secrets     = merge(var.secrets, { for name, file in var.secret_files : name => file.arn })

  container = merge(
    {
      name                   = var.name
      image                  = var.image
      command                = var.command
      essential              = true
      user                   = "10001:10001"
      readonlyRootFilesystem = true
      privileged             = false
      stopTimeout            = var.stop_seconds
      environment            = [for key in sort(keys(var.environment)) : { name = key, value = var.environment[key] }]
      secrets                = [for key in sort(keys(local.secrets)) : { name = key, valueFrom = local.secrets[key] }]
      linuxParameters        = { initProcessEnabled = true, capabilities = { add = [], drop = ["ALL"] } }
      ulimits                = [{ name = "nofile", softLimit = 65535, hardLimit = 65535 }]
      portMappings           = var.port == 0 ? [] : [{ containerPort = var.port, hostPort = var.port, protocol = "tcp" }]
      mountPoints = concat(
        [for name, path in local.empty : { sourceVolume = name, containerPath = path, readOnly = false }],
        [for name, mount in var.host_mounts : { sourceVolume = name, containerPath = mount.container_path, readOnly = mount.read_only }],
      )
      volumesFrom    = []
      systemControls = []
      logConfiguration = {
        logDriver = "awslogs"
        options = {
          awslogs-group         = aws_cloudwatch_log_group.this.name
          awslogs-region        = data.aws_region.current.name
          awslogs-stream-prefix = var.name
          mode                  = "non-blocking" # a slow log does not block the process
          max-buffer-size       = "8m"
        }
      }
    },
    local.entry_point == null ? {} : { entryPoint = local.entry_point },
    var.health_port == 0 ? {} : { healthCheck = local.health },
  )
}

data "aws_region" "current" {}

resource "aws_cloudwatch_log_group" "this" {
  name              = "/catalogizer/${var.installation}/${var.name}"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.kms_key_arn
  tags              = var.tags
}

resource "aws_ecs_task_definition" "this" {
  #checkov:skip=CKV_AWS_336:it is read-only, which is seen only when the container's JSON is computed
  #checkov:skip=CKV_AWS_249:two roles, of module iam; they are the caller's to give
  family                   = "${var.installation}-${var.name}"
  requires_compatibilities = [var.launch_type]
  network_mode             = "awsvpc"
  cpu                      = tostring(var.cpu)
  memory                   = tostring(var.memory)
  execution_role_arn       = var.execution_role_arn
  task_role_arn            = var.task_role_arn
  container_definitions    = jsonencode([local.container])
  tags                     = var.tags

  runtime_platform {
    operating_system_family = "LINUX"
    cpu_architecture        = var.cpu_architecture
  }

  dynamic "volume" {
    for_each = local.empty
    content {
      name = volume.key
    }
  }

  dynamic "volume" {
    for_each = var.host_mounts
    content {
      name      = volume.key
      host_path = volume.value.host_path
    }
  }
}
