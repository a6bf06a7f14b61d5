"""What can be wrong with an installation, whichever process meets it.

PlatformError
├── SettingsError     a setting is missing, misspelt, or has a value that it cannot have
│   └── SecretFileError  a file that holds a secret cannot be read again (retryable)
├── NotProperties     a text is not in the format of Java's properties (`runtime.properties_format`)
├── TokenError        the token endpoint gives us no token for Kafka (`runtime.kafka_tokens`)
├── Locked            another process holds a file that one at a time may have (retryable)
├── NotProvisioned    the topics have not been made (retryable)
│   └── NotAllowed    rights of a process were never given, or were taken away
└── QueueError        a dead letter queue cannot be read or seen to (`runtime.dlq.errors`)
"""

from __future__ import annotations

from pathlib import Path


class PlatformError(Exception):
    """Root of the tree. `retryable`: it may pass by itself, or by what somebody else does."""

    retryable = False


class SettingsError(PlatformError):
    """What is wrong with the settings, a line per fault: each names the key, what is wrong with its value, and what
    is allowed. Secrets are never shown."""

    def __init__(self, faults: tuple[str, ...]) -> None:
        self.faults = faults
        super().__init__("; ".join(faults))


class SecretFileError(SettingsError):
    """`variable`: names the file; `what` is wrong with it. What it holds is never shown."""

    retryable = True

    def __init__(self, variable: str, what: str) -> None:
        self.variable = variable
        super().__init__((f"{variable}: {what}",))


class Locked(PlatformError):
    """`pid`: of the process that holds it, as it has written it; empty where it has not yet."""

    retryable = True

    def __init__(self, path: Path, pid: str) -> None:
        self.path = path
        self.pid = pid
        super().__init__(f"{path} is held by another process{self.who}")

    @property
    def who(self) -> str:
        """The process in brackets, with a space before."""
        return f" (process {self.pid})" if self.pid else ""


class NotProvisioned(PlatformError):
    """The topics have not been made on this installation, or not as they must be; `missing` names what was looked
    for."""

    retryable = True

    def __init__(self, missing: str) -> None:
        self.missing = missing
        super().__init__(f"{missing} is not there: run `catalogizer topics apply`")


class NotAllowed(NotProvisioned):
    """The brokers do not let this process do what it needs. `missing`: principal, operation and resource of each right."""

    def __init__(self, missing: str) -> None:
        PlatformError.__init__(self, f"{missing}: `catalogizer topics acls` prints who needs which right")
        self.missing = missing
