output "dns_name" {
  description = "The load balancer: public_url's host name is to be an alias of it."
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
  description = "The producer: settings, and what its platform is given."
  value = {
    environment = module.producer.environment
    container   = module.producer.container
    cloud_init  = module.producer.cloud_init
  }
}
