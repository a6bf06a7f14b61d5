# On ECS: one instance in the storage's subnet with a disk for the state, and a service that runs only there.
# A second one would stand by for the same roots; an instance that fails is recovered by EC2 with its disks.

locals {
  ecs = var.platform == "ecs-ec2" ? { this = var.ecs } : {}
}

data "aws_ssm_parameter" "ami" {
  for_each = local.ecs

  name = "/aws/service/ecs/optimized-ami/amazon-linux-2023/recommended/image_id"
}

data "aws_subnet" "this" {
  for_each = local.ecs

  id = each.value.subnet_id
}

data "aws_partition" "current" {}

data "aws_iam_policy_document" "instance_trust" {
  statement {
    actions = ["sts:AssumeRole"]
    principals {
      type        = "Service"
      identifiers = ["ec2.amazonaws.com"]
    }
  }
}

resource "aws_iam_role" "instance" {
  for_each = local.ecs

  name               = "${var.name}-${var.producer_name}-instance"
  assume_role_policy = data.aws_iam_policy_document.instance_trust.json
  tags               = var.tags
}

resource "aws_iam_role_policy_attachment" "instance" {
  for_each = local.ecs

  role       = aws_iam_role.instance[each.key].name
  policy_arn = "arn:${data.aws_partition.current.partition}:iam::aws:policy/service-role/AmazonEC2ContainerServiceforEC2Role"
}

resource "aws_iam_instance_profile" "instance" {
  for_each = local.ecs

  name = "${var.name}-${var.producer_name}"
  role = aws_iam_role.instance[each.key].name
  tags = var.tags
}

resource "aws_ebs_volume" "state" {
  for_each = local.ecs

  availability_zone = data.aws_subnet.this[each.key].availability_zone
  size              = each.value.state_gib
  type              = "gp3"
  encrypted         = true
  kms_key_id        = var.kms_key_arn
  tags              = merge(var.tags, { Name = "${var.name}-${var.producer_name}-state" })

  lifecycle {
    prevent_destroy = false # its loss costs a scan and a baseline: the log has everything else
  }
}

resource "aws_volume_attachment" "state" {
  for_each = local.ecs

  device_name = "/dev/sdf"
  volume_id   = aws_ebs_volume.state[each.key].id
  instance_id = aws_instance.this[each.key].id
}

resource "aws_volume_attachment" "media" {
  for_each = { for key, ecs in local.ecs : key => ecs if ecs.media_volume_id != null }

  device_name = "/dev/sdg"
  volume_id   = each.value.media_volume_id
  instance_id = aws_instance.this[each.key].id
}

resource "aws_instance" "this" {
  for_each = local.ecs

  ami                         = data.aws_ssm_parameter.ami[each.key].value
  instance_type               = each.value.instance_type
  subnet_id                   = each.value.subnet_id
  vpc_security_group_ids      = each.value.security_group_ids
  iam_instance_profile        = aws_iam_instance_profile.instance[each.key].name
  associate_public_ip_address = false
  ebs_optimized               = true
  monitoring                  = true
  tags                        = merge(var.tags, { Name = "${var.name}-${var.producer_name}" })

  user_data = templatefile("${path.module}/instance.sh.tftpl", {
    cluster      = each.value.cluster_name
    producer     = var.producer_name
    state_volume = replace(aws_ebs_volume.state[each.key].id, "-", "")
    media_volume = each.value.media_volume_id == null ? "" : replace(each.value.media_volume_id, "-", "")
    media_folder = each.value.media_folder
    uid          = local.uid
  })

  metadata_options {
    http_endpoint               = "enabled"
    http_tokens                 = "required"
    http_put_response_hop_limit = 1 # containers cannot reach it
  }

  root_block_device {
    encrypted  = true
    kms_key_id = var.kms_key_arn
  }

  lifecycle {
    ignore_changes = [ami] # change to a newer one with -replace, at a convenient time
  }
}

module "task" {
  source   = "../task"
  for_each = local.ecs

  name               = "${local.component}-${var.producer_name}"
  installation       = var.name
  image              = var.image
  command            = ["watch"]
  cpu                = 1024
  memory             = 2048
  launch_type        = "EC2"
  health_port        = 8081
  execution_role_arn = each.value.execution_role_arn
  task_role_arn      = each.value.task_role_arn
  kms_key_arn        = var.kms_key_arn
  log_retention_days = var.log_retention_days
  environment        = local.environment
  tags               = var.tags

  secrets = local.signs_in ? { (local.kafka_names.password) = "${var.secret_arns.kafka}:password::" } : {}

  secret_files = merge(
    { for file in values(local.kafka_files) : upper(replace(trimsuffix(file, ".pem"), "-", "_")) => { path = "${local.secret_folder}/${file}", arn = var.secret_arns.kafka_files[file] } },
    length(local.shares) == 0 ? {} : { SHARE_PASSWORD = { path = local.share_password_file, arn = var.secret_arns.share } },
  )

  host_mounts = merge(
    { state = { host_path = local.state, container_path = local.state, read_only = false } },
    length(local.local_) == 0 ? {} : { media = { host_path = each.value.media_folder, container_path = each.value.media_folder } },
  )
}

resource "aws_ecs_service" "this" {
  for_each = local.ecs

  name                               = "${var.name}-${local.component}-${var.producer_name}"
  cluster                            = each.value.cluster_arn
  task_definition                    = module.task[each.key].arn
  desired_count                      = 1
  launch_type                        = "EC2"
  deployment_minimum_healthy_percent = 0 # the old one releases the state folder before the new one starts
  deployment_maximum_percent         = 100
  propagate_tags                     = "SERVICE"
  tags                               = var.tags

  network_configuration {
    subnets         = [each.value.subnet_id]
    security_groups = each.value.security_group_ids
  }

  placement_constraints {
    type       = "memberOf"
    expression = "attribute:catalogizer.producer == ${var.producer_name}"
  }

  deployment_circuit_breaker {
    enable   = true
    rollback = true
  }
}
