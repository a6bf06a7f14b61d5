"""What can go wrong with who signs in elsewhere. `why` is for the log; who tried learns no more than the class of the fault.

OidcError
├── ProviderAway     the provider does not answer, or not as a provider does (retryable)
├── BadAnswer        what came is not what the provider sends us: somebody meddled with it, or it is too late
└── NotAdmitted      we know who it is, and he may not come in
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
    """It does not answer, or not as a provider does."""

    retryable = True


class BadAnswer(OidcError):
    """A state, a code or a token that does not hold."""


class CodeRefused(BadAnswer):
    """The provider does not take its code or its refresh token."""


Reason = Literal["declined", "no_rights", "no_account", "disabled", "signed_out"]
"""What the page can say: he declined at the provider; no group of his is mapped; first sign-ins are refused; his account is
disabled; he has signed out at the provider meanwhile."""


class NotAdmitted(OidcError):
    """`reason`: as the page knows it."""

    def __init__(self, provider: str, reason: Reason, account: str = "") -> None:
        self.reason: Reason = reason
        self.account = account
        super().__init__(provider, reason.replace("_", " "))
