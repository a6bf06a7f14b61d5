"""The AsyncAPI document of the platform (`gateway/asyncapi.json`), generated from `schemas/` and the gateway's own messages.

Each module describes one side: `commands` what clients send, `frames` what they receive, `records` what is in Kafka;
`document` combines them. The gateway fills in an installation's addresses, partitions and version when it serves it.
"""
