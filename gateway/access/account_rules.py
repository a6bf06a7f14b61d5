"""Rules for an account's name, e-mail address and password. Pure; every refusal names the rule (`gateway.errors`)."""

from __future__ import annotations

import re

from gateway.core.rights import ALL, MAX_NAMES, Rights
from gateway.errors import GatewayError
from schemas.channels import CHANNELS

MIN_PASSWORD = 8
MAX_PASSWORD = 1_024
MAX_NAME = 64
MAX_EMAIL = 254
MAX_RIGHT = 255
"""Characters; an e-mail address: RFC 5321, section 4.5.3.1.3."""

LOGGED_NAME = 64
_EMAIL = re.compile(r"[^\s@]+@[^\s@]+")
_LIKE_A_NAME = re.compile(r"[a-z][a-z._-]*[0-9]{0,3}(@[a-z0-9.-]+)?", re.IGNORECASE)


class AccountError(GatewayError):
    """Root of the tree."""


class BrokenRule(AccountError):
    """`field`: name, email or password; `rule`: what it must be. The value is not in it: it may be a password."""

    def __init__(self, field: str, rule: str) -> None:
        self.field = field
        self.rule = rule
        super().__init__(f"{field}: {rule}")


class AlreadyTaken(AccountError):
    """`field`: name or email; `value`: as requested."""

    def __init__(self, field: str, value: str) -> None:
        self.field = field
        self.value = value
        super().__init__(f"{field} {value!r} belongs to another account (letters' case aside)")


class NoSuchAccount(AccountError):
    """`name`: as requested."""

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(f"no account {name!r}: `catalogizer user list` shows them")


class NoSuchToken(AccountError):
    """`name`: as requested."""

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(f"no token {name!r}: `catalogizer token list` shows them")


class LastAdmin(AccountError):
    """`name`: the only administrator who may sign in."""

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(f"{name} is the last administrator: make another one first (`catalogizer user role`)")


def check_name(name: str) -> None:
    """Raises BrokenRule. A name has no `@`: it cannot be mistaken for another account's e-mail address."""
    if not 1 <= len(name) <= MAX_NAME:
        raise BrokenRule("name", f"1 to {MAX_NAME} characters")
    if not name.isprintable() or "@" in name or any(c.isspace() for c in name):
        raise BrokenRule("name", "printable characters without spaces and without @")


def check_email(email: str) -> None:
    """Raises BrokenRule. Does not check whether mail arrives there."""
    if len(email) > MAX_EMAIL or not email.isprintable() or _EMAIL.fullmatch(email) is None:
        raise BrokenRule("email", f"name@host, at most {MAX_EMAIL} characters, without spaces")


def check_password(password: str) -> None:
    """Raises BrokenRule."""
    if not MIN_PASSWORD <= len(password) <= MAX_PASSWORD:
        raise BrokenRule("password", f"{MIN_PASSWORD} to {MAX_PASSWORD} characters")
    if any(ord(c) < 32 or 0xD800 <= ord(c) <= 0xDFFF for c in password):
        raise BrokenRule("password", "one line of UTF-8 text without control characters")


def check_rights(rights: Rights) -> None:
    """Raises BrokenRule. Libraries and roots need not exist yet; channels must."""
    for field, names in (
        ("channels", rights.channels),
        ("libraries", rights.libraries),
        ("storage_roots", rights.roots),
    ):
        if len(names) > MAX_NAMES or not all(1 <= len(name) <= MAX_RIGHT for name in names):
            raise BrokenRule(
                field, f"at most {MAX_NAMES} names of 1 to {MAX_RIGHT} characters, or `{ALL}` for all"
            )
    if unknown := rights.channels - {ALL, *CHANNELS}:
        raise BrokenRule("channels", f"no channel {min(unknown)!r}; there are {', '.join(CHANNELS)}")


def loggable(tried: str, account: str | None) -> str:
    """What a log may show of the name in a sign-in. `account`: the name of the account that was meant, None if there is
    none: then the name is shown only if it looks like one (letters, at most three digits at the end, perhaps a host),
    because people type their password into the field above it."""
    if account is None and _LIKE_A_NAME.fullmatch(tried) is None:
        return "[not shown: no such account]"
    shown = (account or tried)[:LOGGED_NAME]
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in shown)
