# Requests that the firewall blocks. A WebSocket is checked by the request that opens it.

locals {
  # In this order. count: rules that would block valid requests and therefore only count: sign-on cookies of a company have 32 kB, and requests
  # that give rights to many roots have more than 8 kB.
  managed_rules = [
    { name = "AWSManagedRulesAmazonIpReputationList", count = [] },
    { name = "AWSManagedRulesCommonRuleSet", count = ["SizeRestrictions_BODY", "SizeRestrictions_Cookie_HEADER"] },
    { name = "AWSManagedRulesKnownBadInputsRuleSet", count = [] },
  ]
}

resource "aws_wafv2_web_acl" "this" {
  name        = var.name
  description = "Gateways of ${var.name}"
  scope       = "REGIONAL"
  tags        = var.tags

  default_action {
    allow {}
  }

  rule {
    name     = "rate"
    priority = 0

    action {
      block {}
    }

    statement {
      rate_based_statement {
        limit                 = var.requests_per_five_minutes
        aggregate_key_type    = "IP"
        evaluation_window_sec = 300
      }
    }

    visibility_config {
      cloudwatch_metrics_enabled = true
      metric_name                = "${var.name}-rate"
      sampled_requests_enabled   = true
    }
  }

  dynamic "rule" {
    for_each = local.managed_rules
    content {
      name     = rule.value.name
      priority = rule.key + 1

      override_action {
        none {}
      }

      statement {
        managed_rule_group_statement {
          name        = rule.value.name
          vendor_name = "AWS"

          dynamic "rule_action_override" {
            for_each = rule.value.count
            content {
              name = rule_action_override.value
              action_to_use {
                count {}
              }
            }
          }
        }
      }

      visibility_config {
        cloudwatch_metrics_enabled = true
        metric_name                = "${var.name}-${rule.value.name}"
        sampled_requests_enabled   = true
      }
    }
  }

  visibility_config {
    cloudwatch_metrics_enabled = true
    metric_name                = var.name
    sampled_requests_enabled   = true
  }
}

resource "aws_wafv2_web_acl_association" "this" {
  resource_arn = aws_lb.this.arn
  web_acl_arn  = aws_wafv2_web_acl.this.arn
}

# The name needs this prefix: the firewall writes to no other log group.
resource "aws_cloudwatch_log_group" "firewall" {
  name              = "aws-waf-logs-catalogizer-${var.name}"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.kms_key_arn
  tags              = var.tags
}

resource "aws_wafv2_web_acl_logging_configuration" "this" {
  resource_arn            = aws_wafv2_web_acl.this.arn
  log_destination_configs = [aws_cloudwatch_log_group.firewall.arn]

  # A token is a header, and may be in the query of a socket's address.
  redacted_fields {
    single_header {
      name = "authorization"
    }
  }

  redacted_fields {
    single_header {
      name = "cookie"
    }
  }

  redacted_fields {
    query_string {}
  }
}
