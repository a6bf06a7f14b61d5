"""Errors of an installation, common to all processes.

PlatformError
├── SettingsError     a setting is missing, misspelt, or has a value that it cannot have
│   └── SecretFileError  a file that holds a secret cannot be read again (retryable)
├── NotProperties     a text is not in the format of Java's properties (`runtime.properties_format`)
├── TokenError        the token endpoint gives us no token for Kafka (`runtime.kafka_tokens`)
├── Locked            another process has locked a file (retryable)
├── NotProvisioned    the topics have not been created (retryable)
│   └── NotAllowed    a process lacks permissions at the brokers
└── QueueError        a dead letter queue cannot be read or changed (`runtime.dlq.errors`)
"""

from __future__ import annotations

from pathlib import Path


class PlatformError(Exception):
    """Base of these errors. `retryable`: the same attempt may succeed later."""

    retryable = False


class SettingsError(PlatformError):
    """Invalid settings. `faults`: one line each, with the key, what is wrong with its value, and what is allowed. Secrets
    are never shown."""

    def __init__(self, faults: tuple[str, ...]) -> None:
        self.faults = faults
        super().__init__("; ".join(faults))


class SecretFileError(SettingsError):
    """`variable`: the setting that names the file; `what`: the fault. The file's contents are never shown."""

    retryable = True

    def __init__(self, variable: str, what: str) -> None:
        self.variable = variable
        super().__init__((f"{variable}: {what}",))


class Locked(PlatformError):
    """`pid`: the process that has the lock, as it wrote it into the file; empty if it has not done so yet."""

    retryable = True

    def __init__(self, path: Path, pid: str) -> None:
        self.path = path
        self.pid = pid
        super().__init__(f"{path} is held by another process{self.owner}")

    @property
    def owner(self) -> str:
        """The locking process in brackets, with a space before; empty if unknown."""
        return f" (process {self.pid})" if self.pid else ""


class NotProvisioned(PlatformError):
    """The topics have not been created on this installation, or not as declared. `missing`: what was not found."""

    retryable = True

    def __init__(self, missing: str) -> None:
        self.missing = missing
        super().__init__(f"{missing} is not there: run `catalogizer topics apply`")


class NotAllowed(NotProvisioned):
    """The brokers deny this process a right that it needs. `missing`: principal, operation and resource of each right."""

    def __init__(self, missing: str) -> None:
        PlatformError.__init__(self, f"{missing}: `catalogizer topics acls` prints who needs which right")
        self.missing = missing
