# The network, resource by resource.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  name  = "media"
  zones = ["eu-central-1a", "eu-central-1b", "eu-central-1c"]
}

run "made" {
  module {
    source = "./modules/network"
  }

  assert {
    condition     = { for zone, subnet in aws_subnet.public : zone => subnet.cidr_block } == { eu-central-1a = "10.40.0.0/20", eu-central-1b = "10.40.16.0/20", eu-central-1c = "10.40.32.0/20" }
    error_message = "a public subnet in each zone"
  }

  assert {
    condition     = { for zone, subnet in aws_subnet.private : zone => subnet.cidr_block } == { eu-central-1a = "10.40.128.0/20", eu-central-1b = "10.40.144.0/20", eu-central-1c = "10.40.160.0/20" }
    error_message = "a private subnet in each zone"
  }

  assert {
    condition     = alltrue([for subnet in aws_subnet.public : !subnet.map_public_ip_on_launch])
    error_message = "nothing gets a public address by itself"
  }

  assert {
    condition     = length(aws_nat_gateway.this) == 3 && length(aws_route.nat) == 3 && length(aws_route_table_association.private) == 3
    error_message = "each zone has a way out of its own"
  }

  assert {
    condition     = length(aws_default_security_group.closed[0].ingress) + length(aws_default_security_group.closed[0].egress) == 0
    error_message = "the default security group lets nothing in or out"
  }

  assert {
    condition     = aws_flow_log.rejected[0].traffic_type == "REJECT" && aws_vpc_endpoint.s3[0].vpc_endpoint_type == "Gateway"
    error_message = "refused connections are logged, and S3 is reached without NAT"
  }

  assert {
    condition     = aws_route.internet[0].destination_cidr_block == "0.0.0.0/0" && length(aws_route_table_association.public) == 3 && length(aws_internet_gateway.this) == 1 && length(aws_eip.nat) == 3 && aws_vpc.this[0].cidr_block == "10.40.0.0/16"
    error_message = "public subnets reach the internet"
  }
}

run "one_nat_gateway" {
  command = plan

  variables {
    one_nat_gateway = true
  }

  module {
    source = "./modules/network"
  }

  assert {
    condition     = keys(aws_nat_gateway.this) == ["eu-central-1a"] && length(aws_route.nat) == 3
    error_message = "one for all zones"
  }
}

run "existing" {
  command = plan

  variables {
    zones    = []
    existing = { vpc_id = "vpc-9", private_subnet_ids = ["subnet-a", "subnet-b"], private_subnet_cidrs = ["10.1.0.0/24", "10.1.1.0/24"], public_subnet_ids = ["subnet-c", "subnet-d"], public_subnet_cidrs = ["10.1.2.0/24", "10.1.3.0/24"] }
  }

  module {
    source = "./modules/network"
  }

  assert {
    condition     = length(aws_vpc.this) + length(aws_subnet.public) + length(aws_subnet.private) + length(aws_nat_gateway.this) + length(aws_vpc_endpoint.s3) + length(aws_flow_log.rejected) == 0 && output.vpc_id == "vpc-9"
    error_message = "nothing is made beside a network that is there"
  }
}

run "two_zones_are_refused" {
  command = plan

  variables {
    zones = ["eu-central-1a", "eu-central-1b"]
  }

  module {
    source = "./modules/network"
  }

  expect_failures = [var.zones]
}
