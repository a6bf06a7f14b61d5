output "dns_name" {
  description = "DNS name of the load balancer, of which public_url's host name must be an alias."
  value       = module.catalogizer.dns_name
}

output "run" {
  description = "The commands of the tasks that run once."
  value       = module.catalogizer.run
}

output "containers" {
  description = "Every container of the platform as data."
  value       = module.catalogizer.containers
}

output "producer" {
  description = "The producer: its settings, and the files or resources for its platform."
  value = {
    environment = module.producer.environment
    container   = module.producer.container
    cloud_init  = module.producer.cloud_init
  }
}
