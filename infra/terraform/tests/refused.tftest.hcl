# What is refused of alerts, settings and existing brokers. They take long: `python -m tools.terraform test`.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  name            = "media"
  image           = "registry.example/catalogizer:0.1.0"
  public_url      = "https://media.example"
  certificate_arn = "arn:aws:acm:eu-central-1:123456789012:certificate/c"
  run_processes   = false
  network         = { zones = ["eu-central-1a", "eu-central-1b", "eu-central-1c"] }
}

run "a_password_in_smtp_url_is_refused" {
  command = plan

  variables {
    alerts = { smtp_url = "starttls://catalogizer:word@mail.example", mail_from = "catalogizer@example.org", mail_to = ["ops@example.org"] }
  }

  expect_failures = [var.alerts]
}

run "mail_to_nobody_is_refused" {
  command = plan

  variables {
    alerts = { smtp_url = "smtp://mail.example", mail_from = "catalogizer@example.org" }
  }

  expect_failures = [var.alerts]
}

run "a_secret_among_the_settings_is_refused" {
  command = plan

  variables {
    environment = { CATALOGIZER_KAFKA__SASL_OAUTHBEARER_CLIENT_SECRET = "in the clear" }
  }

  expect_failures = [var.environment]
}

run "a_user_without_a_password_is_refused" {
  command = plan

  variables {
    alerts = { smtp_url = "smtps://catalogizer@mail.example", mail_from = "catalogizer@example.org", mail_to = ["ops@example.org"] }
  }

  expect_failures = [var.alerts]
}

run "a_key_without_a_webhook_is_refused" {
  command = plan

  variables {
    alerts = { webhook_key_secret_arn = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:key-AbCdEf" }
  }

  expect_failures = [var.alerts]
}

run "an_address_instead_of_its_secret_is_refused" {
  command = plan

  variables {
    alerts = { webhook_url_secret_arn = "https://alerts.example.org/secret" }
  }

  expect_failures = [var.alerts]
}

run "kerberos_is_refused" {
  command = plan

  variables {
    existing = { bootstrap_servers = "kafka:9093", sasl_mechanism = "GSSAPI" }
  }

  module {
    source = "./modules/kafka"
  }

  expect_failures = [var.existing]
}

run "tokens_without_an_endpoint_are_refused" {
  command = plan

  variables {
    existing = { bootstrap_servers = "kafka:9093", sasl_mechanism = "OAUTHBEARER" }
  }

  module {
    source = "./modules/kafka"
  }

  expect_failures = [var.existing]
}

run "an_endpoint_in_the_clear_is_refused" {
  command = plan

  variables {
    existing = { bootstrap_servers = "kafka:9093", sasl_mechanism = "OAUTHBEARER", oauthbearer = { token_endpoint_url = "http://id.example/token" } }
  }

  module {
    source = "./modules/kafka"
  }

  expect_failures = [var.existing]
}

run "an_endpoint_with_passwords_is_refused" {
  command = plan

  variables {
    existing = { bootstrap_servers = "kafka:9093", oauthbearer = { token_endpoint_url = "https://id.example/token" } }
  }

  module {
    source = "./modules/kafka"
  }

  expect_failures = [var.existing]
}

run "certificates_in_the_clear_are_refused" {
  command = plan

  variables {
    existing = { bootstrap_servers = "kafka:9093", security_protocol = "PLAINTEXT", certificate_secret_arns = { for user in ["watch", "stream", "project", "serve", "operator"] : user => "arn:aws:secretsmanager:eu-central-1:123456789012:secret:${user}" } }
  }

  module {
    source = "./modules/kafka"
  }

  expect_failures = [var.existing]
}

run "certificates_of_some_are_refused" {
  command = plan

  variables {
    existing = { bootstrap_servers = "kafka:9093", security_protocol = "SSL", certificate_secret_arns = { watch = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:w" } }
  }

  module {
    source = "./modules/kafka"
  }

  expect_failures = [var.existing]
}
