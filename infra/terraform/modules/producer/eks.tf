# On Kubernetes: a manifest for `kubectl apply`, because Terraform does not manage that cluster. Secrets stay in Secrets
# Manager; the cluster's Secrets Store CSI driver with AWS's provider (an add-on of EKS) mounts them as files, by the role
# of the service account.

locals {
  eks     = var.platform == "eks" ? { this = var.eks } : {}
  account = "catalogizer-${var.producer_name}"

  secret_files = merge(
    { for file in values(local.kafka_files) : file => { arn = var.secret_arns.kafka_files[file], json_key = null } },
    local.signs_in ? { kafka-password = { arn = var.secret_arns.kafka, json_key = "password" } } : {},
    length(local.shares) == 0 ? {} : { share-password = { arn = var.secret_arns.share, json_key = null } },
  )

  eks_environment = merge(local.environment, local.signs_in ? { "${local.kafka_names.password}_FILE" = "/mnt/secrets/kafka-password" } : {})

  manifest = { for key, eks in local.eks : key => [
    {
      apiVersion = "v1"
      kind       = "ServiceAccount"
      metadata   = { name = local.account, namespace = eks.namespace, annotations = { "eks.amazonaws.com/role-arn" = aws_iam_role.eks[key].arn } }
    },
    {
      apiVersion = "secrets-store.csi.x-k8s.io/v1"
      kind       = "SecretProviderClass"
      metadata   = { name = local.account, namespace = eks.namespace }
      spec = {
        provider = "aws"
        parameters = {
          objects = yamlencode([for file, secret in local.secret_files : merge(
            { objectName = secret.arn },
            { for key in ["objectAlias"] : key => file if secret.json_key == null },
            { for key in ["jmesPath"] : key => [{ path = secret.json_key, objectAlias = file }] if secret.json_key != null },
          )])
        }
      }
    },
    {
      apiVersion = "apps/v1"
      kind       = "StatefulSet"
      metadata   = { name = local.account, namespace = eks.namespace, labels = { app = local.account } }
      spec = {
        serviceName = local.account
        replicas    = 1
        selector    = { matchLabels = { app = local.account } }
        template = {
          metadata = { labels = { app = local.account } }
          spec = {
            serviceAccountName            = local.account
            automountServiceAccountToken  = false
            terminationGracePeriodSeconds = 30
            securityContext               = { runAsNonRoot = true, runAsUser = local.uid, runAsGroup = local.uid, fsGroup = local.uid, seccompProfile = { type = "RuntimeDefault" } }
            containers = [{
              name            = local.component
              image           = var.image
              args            = ["watch"]
              env             = [for name in sort(keys(local.eks_environment)) : { name = name, value = local.eks_environment[name] }]
              securityContext = { allowPrivilegeEscalation = false, readOnlyRootFilesystem = true, capabilities = { drop = ["ALL"] } }
              resources       = { requests = { cpu = "250m", memory = "512Mi" }, limits = { memory = "2Gi" } }
              livenessProbe   = { exec = { command = ["python", "-m", "cli.health", "8081", "--live"] }, initialDelaySeconds = 30, periodSeconds = 30, timeoutSeconds = 5 }
              readinessProbe  = { exec = { command = ["python", "-m", "cli.health", "8081"] }, periodSeconds = 15, timeoutSeconds = 5 }
              volumeMounts = concat(
                [{ name = "state", mountPath = local.state, readOnly = false }, { name = "tmp", mountPath = "/tmp", readOnly = false }],
                length(local.secret_files) == 0 ? [] : [{ name = "secrets", mountPath = "/mnt/secrets", readOnly = true }],
                eks.media_claim == null ? [] : [{ name = "media", mountPath = "/srv/media", readOnly = true }],
              )
            }]
            volumes = concat(
              [jsondecode(jsonencode({ name = "tmp", emptyDir = {} }))],
              length(local.secret_files) == 0 ? [] : [jsondecode(jsonencode({ name = "secrets", csi = { driver = "secrets-store.csi.k8s.io", readOnly = true, volumeAttributes = { secretProviderClass = local.account } } }))],
              eks.media_claim == null ? [] : [jsondecode(jsonencode({ name = "media", persistentVolumeClaim = { claimName = eks.media_claim, readOnly = true } }))],
            )
          }
        }
        volumeClaimTemplates = [{
          metadata = { name = "state" }
          spec     = { accessModes = ["ReadWriteOnce"], storageClassName = eks.storage_class, resources = { requests = { storage = "${eks.state_gib}Gi" } } }
        }]
      }
    },
  ] }
}

data "aws_iam_policy_document" "eks_trust" {
  for_each = local.eks

  statement {
    actions = ["sts:AssumeRoleWithWebIdentity"]
    principals {
      type        = "Federated"
      identifiers = [each.value.oidc_provider_arn]
    }
    condition {
      test     = "StringEquals"
      variable = "${each.value.oidc_provider_url}:sub"
      values   = ["system:serviceaccount:${each.value.namespace}:${local.account}"]
    }
    condition {
      test     = "StringEquals"
      variable = "${each.value.oidc_provider_url}:aud"
      values   = ["sts.amazonaws.com"]
    }
  }
}

data "aws_iam_policy_document" "eks" {
  for_each = { for key, eks in local.eks : key => eks if length(local.secret_files) > 0 }

  statement {
    sid       = "FetchSecrets"
    actions   = ["secretsmanager:GetSecretValue", "secretsmanager:DescribeSecret"]
    resources = [for secret in values(local.secret_files) : secret.arn]
  }

  statement {
    sid       = "Decrypt"
    actions   = ["kms:Decrypt"]
    resources = [var.kms_key_arn]
  }
}

resource "aws_iam_role" "eks" {
  for_each = local.eks

  name               = "${var.name}-${var.producer_name}-eks"
  assume_role_policy = data.aws_iam_policy_document.eks_trust[each.key].json
  tags               = var.tags
}

resource "aws_iam_role_policy" "eks" {
  for_each = data.aws_iam_policy_document.eks

  name   = "secrets"
  role   = aws_iam_role.eks[each.key].id
  policy = each.value.json
}
