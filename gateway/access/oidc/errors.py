"""Errors of signing in with a provider. `why` is for the log; the client learns only the class of the error.

OidcError
├── ProviderAway     the provider does not answer, or not as a provider does (retryable)
├── BadAnswer        what arrived is not what the provider sends: it was tampered with, or it is too late
└── NotAdmitted      the person is known, and may not sign in
"""

from __future__ import annotations

from typing import Literal

from gateway.errors import GatewayError


class OidcError(GatewayError):
    """Root of the tree. `provider`: its id, as far as it is known."""

    def __init__(self, provider: str, why: str) -> None:
        self.provider = provider
        self.why = why
        super().__init__(f"{provider}: {why}")


class ProviderAway(OidcError):
    """The provider does not answer, or not as a provider does."""

    retryable = True


class BadAnswer(OidcError):
    """A state, a code or a token that is not valid."""


class CodeRefused(BadAnswer):
    """The provider does not accept its own code or refresh token."""


Reason = Literal["declined", "no_rights", "no_account", "disabled", "signed_out"]
"""What the page can show: declined at the provider; none of the person's groups is mapped; first sign-ins are refused; the
account is disabled; the person has signed out at the provider meanwhile."""


class NotAdmitted(OidcError):
    """`reason`: in the page's terms."""

    def __init__(self, provider: str, reason: Reason, account: str = "") -> None:
        self.reason: Reason = reason
        self.account = account
        super().__init__(provider, reason.replace("_", " "))
