"""The audit log: sign-ins, refusals, and actions that must be traceable to an account later."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

AuditAction = Literal[
    "signed_in", "sign_in_refused", "signed_out", "session_ended", "refresh_token_reused",
    "account_added", "password_changed", "account_disabled", "account_enabled", "role_changed", "rights_changed",
    "account_linked",
    "token_issued", "token_revoked", "permission_used", "permission_refused",
]  # fmt: skip


class AuditEvent(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One event (topic `catalog.audit.v1`, key = `subject`). `by`: the account or token that acted or tried to, or
    `command line`; `subject`: the account, session or token that was acted on; `at`: the writer's clock, ISO 8601 ·
    `permission`: of `permission_used` (written before the action) and `permission_refused`, with the request's
    `method`, `path` and id · `why`: the reason of a refusal; `unlogged`: how many more refusals were not written one by
    one."""

    action: AuditAction
    by: str
    subject: str
    at: str
    address: str | None = None
    way: str | None = None
    why: str | None = None
    details: dict[str, str | int | bool | list[str]] = {}
    permission: str | None = None
    method: str | None = None
    path: str | None = None
    request_id: str | None = None
    unlogged: int = 0
