"""What can go wrong in the gateway, as one tree. `retryable`: the same question may be asked again.

    GatewayError
    ├── AccountError      an account cannot be made or changed so
    │   ├── BrokenRule    a name, e-mail address or password that no account may have
    │   ├── AlreadyTaken  another account has the name or the e-mail address
    │   ├── NoSuchAccount
    │   ├── NoSuchToken
    │   └── LastAdmin     nobody would be left who may do everything
    ├── ApiError          an answer that is an error: HTTP status, code for programs, message for people
    ├── BadCursor     a search's cursor that is none of ours, or of another search
    ├── BadOption         an option of `subscribe` that is none
    ├── BadPage           a page's cursor that is none of ours
    ├── BadToken          not a token that holds; says no more than that
    ├── CannotTell       whoever knows whether a token holds does not answer now (retryable)
    ├── LogUnavailable    the log did not answer in time (retryable)
    ├── NotFromHere       a dead letter that is given back at the command line
    ├── NotPublished      no acknowledgement: written or not (retryable, with the same id)
    ├── OidcError        of who signs in elsewhere
    │   ├── ProviderAway  the provider does not answer, or not as a provider does (retryable)
    │   ├── BadAnswer     what came is not what the provider sends us: somebody meddled with it, or it is too late
    │   │   └── CodeRefused  the provider does not take its code or its refresh token
    │   └── NotAdmitted   we know who it is, and he may not come in
    ├── QueueTaken        somebody else sees to the same dead letter queue (retryable)
    ├── TailRestart       the tail's consumer is to be built anew (retryable)
    ├── TooManySignIns    so many passwords wait to be checked that this one is not (retryable)
    └── TooMuch           a request is larger than it may be, or none

Each stands beside what raises it. Settings that do not hold are `runtime.errors.SettingsError`.
"""

from __future__ import annotations


class GatewayError(Exception):
    """Root of the tree."""

    retryable = False
