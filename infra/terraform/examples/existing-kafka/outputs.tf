output "manifest" {
  description = "The producer, for kubectl apply --filename -."
  value       = module.producer.manifest
}

output "containers" {
  description = "Every container of the platform as data."
  value       = module.catalogizer.containers
}
