"""Signing in with a provider under `/api/v1/auth/oidc`: where browsers are sent from, and where browsers and providers
return.

Whatever is wrong with what returns, the answer is the same 400: an attacker learns nothing; the log has the reason. What a
person should know (no group is mapped, the account is disabled) is shown by the page, from a word of a closed list in the
fragment.

(No postponed annotations here: FastAPI must see dependencies that are made inside `router`.)"""

from typing import Annotated
from urllib.parse import parse_qs

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import RedirectResponse, Response
from pydantic import BaseModel, Field

from gateway import metrics
from gateway.access.following import Following
from gateway.access.oidc.errors import BadAnswer, NotAdmitted, ProviderAway
from gateway.access.oidc.flow import EXCHANGE_SECONDS, SIGN_IN_SECONDS
from gateway.access.oidc.logout import sign_out
from gateway.access.oidc.provider import Provider
from gateway.access.oidc.service import PREFIX, Oidc
from gateway.access.refusal_log import RefusalLog
from gateway.access.sign_in_log import SignInLog
from gateway.access.tokens import Tokens
from gateway.rest.access import address_of, origin_of
from gateway.rest.auth import SignedIn, signed_in
from gateway.rest.body import Closed, small_json
from gateway.rest.described import errors
from gateway.rest.edge import ApiError
from runtime.waits import COME_BACK_SECONDS

COOKIE = "catalogizer-sign-in"
MAX_LOGOUT_BYTES = 20_480

_away = RefusalLog("a provider is away")


class ProviderShown(BaseModel):
    """For the page. `start`: the address of its button."""

    id: str
    name: str
    start: str


class ProvidersShown(BaseModel):
    """The providers with a button."""

    providers: list[ProviderShown]


class ExchangeBody(Closed):
    """The code from the page's fragment."""

    code: str = Field(min_length=1, max_length=3_072)


def away(error: ProviderAway) -> ApiError:
    """One provider does not answer; everything else works."""
    _away.refused(f"{error.provider}: {error.why}"[:200])
    message = "the sign-in provider does not answer; try again in a moment"
    return ApiError(503, "provider_unavailable", message, {"Retry-After": str(COME_BACK_SECONDS)})


def router(oidc: Oidc, tokens: Tokens, sign_ins: SignInLog) -> APIRouter:
    """The routes for pages."""
    routes = APIRouter(prefix=PREFIX, tags=["auth"])
    secure = oidc.page.startswith("https://")

    @routes.get("")
    async def providers() -> ProvidersShown:
        """The providers that people can sign in with."""
        shown = [one.settings for one in oidc.providers.values() if one.settings.sign_in]
        return ProvidersShown(
            providers=[
                ProviderShown(id=one.id, name=one.name, start=f"{oidc.page}{PREFIX}/{one.id}/start")
                for one in shown
            ]
        )

    @routes.get("/{provider}/start", status_code=303, response_class=RedirectResponse)
    async def start(provider: str, page: Annotated[str, Query(max_length=128)] = "") -> Response:
        """Send the browser to the provider. `page`: our file that it returns to."""
        chosen = _chosen(oidc, provider)
        try:
            begun = await oidc.flow.begin(chosen, page)
        except BadAnswer as error:
            raise _bad(error, sign_ins, "", secure) from error
        except ProviderAway as error:
            raise away(error) from error
        answer = RedirectResponse(begun.address, 303)
        _remember(answer, begun.cookie, SIGN_IN_SECONDS, secure)
        return answer

    @routes.post("/exchange", dependencies=[Depends(small_json)])
    async def exchange(request: Request, body: ExchangeBody) -> SignedIn:
        """Tokens for the code in the page's fragment: good once, for a minute, in this browser."""
        opened = await oidc.flow.exchange(body.code, request.cookies.get(_cookie(secure), ""))
        if opened is None:
            sign_ins.refused("", address_of(request), "an invalid code", way="oidc")
            raise _begin_again(secure)
        return signed_in(tokens, opened)

    return routes


def callbacks(oidc: Oidc, sign_ins: SignInLog, following: Following) -> APIRouter:
    """The routes for providers, and for browsers that they send back. They may add parameters that we do not know."""
    routes = APIRouter(prefix=PREFIX, tags=["auth"])
    secure = oidc.page.startswith("https://")

    @routes.get("/{provider}/callback", status_code=303, response_class=RedirectResponse)
    async def callback(request: Request, provider: str) -> Response:
        """The provider sends the browser here: on to the page, with a code in its fragment."""
        chosen = _chosen(oidc, provider)
        address, way = address_of(request), f"oidc:{provider}"
        origin = origin_of(request, way)
        cookie = request.cookies.get(_cookie(secure), "")
        try:
            back = await oidc.flow.come_back(chosen, request.query_params.multi_items(), cookie, origin)
        except BadAnswer as error:
            raise _bad(error, sign_ins, address, secure) from error
        except ProviderAway as error:
            raise away(error) from error
        except NotAdmitted as error:
            metrics.LOGINS.labels("refused").inc()
            sign_ins.refused("", address, error.why, error.account or None, way=way)
            answer = RedirectResponse(f"{oidc.page}/#sign-in-refused={error.reason}", 303)
            _remember(answer, "", 0, secure)
            return answer
        metrics.LOGINS.labels("ok").inc()
        sign_ins.signed_in(back.username, address, way=way)
        answer = RedirectResponse(f"{oidc.page}/{back.page}#signed-in={back.code}", 303)
        _remember(answer, back.cookie, EXCHANGE_SECONDS, secure)
        return answer

    @routes.post(
        "/{provider}/backchannel-logout", status_code=200, responses=errors(413, 415), response_class=Response
    )
    async def backchannel_logout(request: Request, provider: str) -> Response:
        """The provider reports who has signed out there: the person's sessions here end, within seconds at every gateway."""
        chosen = _chosen(oidc, provider)
        address = address_of(request)
        try:
            ended = await sign_out(chosen, oidc.people, await _logout_token(request))
        except BadAnswer as error:
            sign_ins.refused("", address, error.why, way=f"oidc:{provider}")
            raise ApiError(400, "bad_request", "not a valid logout token") from error
        except ProviderAway as error:
            raise away(error) from error
        for session_id in ended:
            following.end(session_id)
        sign_ins.signed_out_by(f"oidc:{provider}", address, len(ended))
        return Response()

    return routes


async def _logout_token(request: Request) -> str:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded":
        raise ApiError(415, "unsupported_media_type", "send application/x-www-form-urlencoded")
    body = await request.body()
    if len(body) > MAX_LOGOUT_BYTES:
        raise ApiError(413, "too_large", "body too large")
    try:
        found = parse_qs(body.decode("ascii"), max_num_fields=8).get("logout_token", [])
    except ValueError:
        found = []
    return found[0] if len(found) == 1 else ""


def _chosen(oidc: Oidc, provider: str) -> Provider:
    if provider not in oidc.providers:
        raise ApiError(404, "not_found", "no such provider")
    return oidc.providers[provider]


def _bad(error: BadAnswer, sign_ins: SignInLog, address: str, secure: bool) -> ApiError:
    metrics.LOGINS.labels("refused").inc()
    sign_ins.refused("", address, error.why, way=f"oidc:{error.provider}")
    return _begin_again(secure)


def _begin_again(secure: bool) -> ApiError:
    forgetting = RedirectResponse("/")
    _remember(forgetting, "", 0, secure)
    cookie = {"Set-Cookie": forgetting.headers["set-cookie"]}
    return ApiError(400, "bad_sign_in", "this sign-in cannot be finished; begin again", cookie)


def _remember(answer: Response, value: str, seconds: int, secure: bool) -> None:
    """`__Host-` with TLS: then no other host and no plain page of this one can have set it. Lax, because the browser returns
    from the provider's site."""
    answer.set_cookie(
        _cookie(secure), value, max_age=seconds, path="/", secure=secure, httponly=True, samesite="lax"
    )


def _cookie(secure: bool) -> str:
    return f"__Host-{COOKIE}" if secure else COOKIE
