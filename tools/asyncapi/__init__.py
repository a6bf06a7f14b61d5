"""The AsyncAPI document of the platform (`gateway/asyncapi.json`), generated from `schemas/` and the gateway's own messages.

Each module describes one side: `commands` what clients say, `frames` what they get, `records` what is in Kafka; `document`
puts them together. What only an installation knows (addresses, partitions, version) the gateway fills in when it is asked.
"""
