"""Creates an installation's permissions as `schemas.acls` declares them: missing ones are added, none is removed.

AclError           (a `CommandError`)
├── NoAuthorizer   the brokers enforce no permissions at all
└── AclRefused     the brokers refused to list or add permissions
"""

from __future__ import annotations

import asyncio

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import for_code
from aiokafka.protocol.admin import CreateAclsRequest, DescribeAclsRequest

from cli.errors import CommandError
from cli.provisioning.topics import administration
from runtime.kafka import Kafka
from schemas.acls import Acl, Operation, Pattern, Resource, acls

_RESOURCES: dict[Resource, int] = {"topic": 2, "group": 3, "transactional-id": 5}
_PATTERNS: dict[Pattern, int] = {"literal": 3, "prefixed": 4}
_OPERATIONS: dict[Operation, int] = {"Read": 3, "Write": 4, "Describe": 8}
_ALLOW = 3
_ANY = 1
_ANY_HOST = "*"
"""Kafka's numbers (ResourceType, PatternType, AclOperation, AclPermissionType), and its notation for every host."""
_SECURITY_DISABLED = 54
"""Kafka's error code SECURITY_DISABLED, which aiokafka has no name for."""


class AclError(CommandError):
    """Base of these errors."""


class NoAuthorizer(AclError):
    """The brokers have no authorizer, so permissions would have no effect."""

    def __init__(self) -> None:
        super().__init__("the brokers have no authorizer (authorizer.class.name): anybody may do everything there")


class AclRefused(AclError):
    """`reason`: the brokers' message."""

    def __init__(self, what: str, code: int, reason: str | None) -> None:
        self.reason = reason
        super().__init__(
            f"{what}: refused by the brokers: {for_code(code).__name__}" + (f": {reason}" if reason else "")
        )


async def apply_acls(kafka: Kafka) -> list[Acl]:
    """Add the missing permissions and return them. Raises AclError, KafkaError."""
    async with administration(kafka) as admin:
        missing = await _missing(kafka, admin)
        await asyncio.gather(*(_add(admin, acl) for acl in missing))
        return missing


async def _add(admin: AIOKafkaAdminClient, acl: Acl) -> None:
    resource, pattern, operation = _RESOURCES[acl.resource], _PATTERNS[acl.pattern], _OPERATIONS[acl.operation]
    request = CreateAclsRequest(resource, acl.name, pattern, acl.principal, _ANY_HOST, operation, _ALLOW)
    for code, reason in (await admin._send_request(request)).creation_responses:
        if code:
            raise AclRefused(f"{acl.principal} {acl.operation} {acl.resource} {acl.name}", code, reason)


async def _missing(kafka: Kafka, admin: AIOKafkaAdminClient) -> list[Acl]:
    there = await _there(admin)
    return [acl for acl in acls(kafka.settings.topic_prefix) if acl not in there]


async def _there(admin: AIOKafkaAdminClient) -> set[Acl]:
    """The brokers' permissions that have the form of ours: they allow, from every host."""
    answer = await admin._send_request(DescribeAclsRequest(_ANY, None, _ANY, None, None, _ANY, _ANY))
    if answer.error_code == _SECURITY_DISABLED:
        raise NoAuthorizer
    if answer.error_code:
        raise AclRefused("the list of permissions", answer.error_code, answer.error_message)
    resources = {number: name for name, number in _RESOURCES.items()}
    patterns = {number: name for name, number in _PATTERNS.items()}
    operations = {number: name for name, number in _OPERATIONS.items()}
    return {
        Acl(principal, resources[resource], name, patterns[pattern], operations[operation])
        for resource, name, pattern, found in answer.resources
        if resource in resources and pattern in patterns
        for principal, host, operation, permission in found
        if host == _ANY_HOST and permission == _ALLOW and operation in operations
    }
