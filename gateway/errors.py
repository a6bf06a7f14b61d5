"""The gateway's errors, as one tree. `retryable`: the same request may be repeated.

    GatewayError
    ├── AccountError      an account cannot be created or changed in this way
    │   ├── BrokenRule    a name, e-mail address or password that no account may have
    │   ├── AlreadyTaken  another account has the name or the e-mail address
    │   ├── NoSuchAccount
    │   ├── NoSuchToken
    │   └── LastAdmin     no account would be left that may do everything
    ├── ApiError          an error answer: HTTP status, code for programs, message for people
    ├── BadCursor         a search's cursor that is not one of ours, or of another search
    ├── BadOption         an invalid option of `subscribe`
    ├── BadPage           a page's cursor that is not one of ours
    ├── BadToken          not a valid token; no reason is given
    ├── CannotCheck       whether a token is valid cannot be found out now (retryable)
    ├── LogUnavailable    the log did not answer in time (retryable)
    ├── NotFromHere       a dead letter that is redriven at the command line
    ├── NotPublished      no acknowledgement: written or not (retryable, with the same id)
    ├── OidcError         of signing in with a provider
    │   ├── ProviderAway  the provider does not answer, or not as a provider does (retryable)
    │   ├── BadAnswer     what arrived is not what the provider sends: it was tampered with, or it is too late
    │   │   └── CodeRefused  the provider does not accept its own code or refresh token
    │   └── NotAdmitted   the person is known, and may not sign in
    ├── QueueTaken        somebody else works on the same dead letter queue (retryable)
    ├── TailRestart       the tail's consumer must be rebuilt (retryable)
    ├── TooManySignIns    so many passwords wait to be checked that this one is not (retryable)
    └── TooMuch           a request that is too large or malformed

Each is defined beside the code that raises it. Invalid settings are `runtime.errors.SettingsError`.
"""

from __future__ import annotations


class GatewayError(Exception):
    """Root of the tree."""

    retryable = False
