output "vpc_id" {
  description = "The network."
  value       = local.create ? aws_vpc.this[0].id : var.existing.vpc_id
}

output "private_subnet_ids" {
  description = "Subnets of Kafka, the database and all processes, one for each zone."
  value       = local.create ? [for zone in var.zones : aws_subnet.private[zone].id] : var.existing.private_subnet_ids
}

output "public_subnet_ids" {
  description = "Subnets of the load balancer."
  value       = local.create ? [for zone in var.zones : aws_subnet.public[zone].id] : var.existing.public_subnet_ids
}

output "load_balancer_cidrs" {
  description = "Addresses of a load balancer, in public or private subnets; the gateway trusts them for the client's address."
  value = {
    public   = local.create ? [for zone in var.zones : local.public[zone]] : var.existing.public_subnet_cidrs
    internal = local.create ? [for zone in var.zones : local.private[zone]] : var.existing.private_subnet_cidrs
  }
}
