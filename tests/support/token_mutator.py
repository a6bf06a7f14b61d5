"""Manipulated tokens: bits flipped, parts dropped, swapped, doubled, combined from several tokens. Each differs in its
claims or its signature; seeded, so that a failure can be reproduced."""

from __future__ import annotations

import base64
import json
import random
from collections.abc import Callable, Iterator

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
HEADERS: tuple[dict[str, object], ...] = (
    {"alg": "none"}, {"alg": "None"}, {"alg": "HS256"}, {"alg": "RS512"}, {"alg": "ES256"}, {"alg": "PS256"},
    {"alg": None}, {"alg": 7}, {"alg": ["RS256"]}, {"kid": None}, {"kid": ""}, {"kid": 1}, {"kid": "../keys"},
    {"typ": "JWT"}, {"typ": None}, {"typ": "logout+jwt"}, {"crit": ["exp"]}, {"b64": False, "crit": ["b64"]},
    {"jku": "http://127.0.0.1:1/keys"}, {"jwk": {"kty": "oct", "k": "AAAA"}}, {"x5u": "http://127.0.0.1:1"}, {"zip": "DEF"},
)  # fmt: skip
CLAIMS: tuple[dict[str, object], ...] = (
    {"sub": "somebody else"}, {"exp": 2**40}, {"exp": 1e400}, {"exp": None}, {"iss": None}, {"aud": []},
    {"groups": ["media-admins"]}, {"nonce": "x"}, {"sub": {"a": 1}}, {"iat": -1}, {"client_id": None},
)  # fmt: skip


def mutants(tokens: list[str], seed: int, count: int) -> Iterator[str]:
    """So many, none of them one of the tokens."""
    dice = random.Random(seed)
    ways: tuple[Callable[[random.Random, list[str]], str], ...] = (
        _flipped, _dropped, _swapped, _put_together, _other_header, _other_claims, _cut, _doubled, _parts, _garbage,
    )  # fmt: skip
    made = 0
    while made < count:
        mutant = dice.choice(ways)(dice, tokens)
        if mutant and mutant not in tokens and not any(_same(mutant, token) for token in tokens):
            made += 1
            yield mutant


def _same(mutant: str, token: str) -> bool:
    """The last letter of a part has bits that mean nothing: flipping those changes no byte."""
    try:
        return [_bytes(part) for part in mutant.split(".")] == [_bytes(part) for part in token.split(".")]
    except ValueError:
        return False


def _flipped(dice: random.Random, tokens: list[str]) -> str:
    token = dice.choice(tokens)
    at = dice.randrange(len(token))
    return token[:at] + dice.choice(ALPHABET) + token[at + 1 :]


def _dropped(dice: random.Random, tokens: list[str]) -> str:
    token = dice.choice(tokens)
    at = dice.randrange(len(token))
    return token[:at] + token[at + dice.randint(1, 8) :]


def _swapped(dice: random.Random, tokens: list[str]) -> str:
    parts = dice.choice(tokens).split(".")
    dice.shuffle(parts)
    return ".".join(parts)


def _put_together(dice: random.Random, tokens: list[str]) -> str:
    return ".".join(dice.choice(tokens).split(".")[at] for at in range(3))


def _other_header(dice: random.Random, tokens: list[str]) -> str:
    header, payload, signature = dice.choice(tokens).split(".")
    return f"{_changed(header, dice.choice(HEADERS))}.{payload}.{dice.choice((signature, ''))}"


def _other_claims(dice: random.Random, tokens: list[str]) -> str:
    header, payload, signature = dice.choice(tokens).split(".")
    return f"{header}.{_changed(payload, dice.choice(CLAIMS))}.{signature}"


def _cut(dice: random.Random, tokens: list[str]) -> str:
    token = dice.choice(tokens)
    return token[: dice.randrange(len(token))]


def _doubled(dice: random.Random, tokens: list[str]) -> str:
    token = dice.choice(tokens)
    return dice.choice((token + token, f"{token}.{token}", f"{token}.", f".{token}", token + "="))


def _parts(dice: random.Random, tokens: list[str]) -> str:
    parts = dice.choice(tokens).split(".")
    parts[dice.randrange(3)] = dice.choice(("", "e30", "bnVsbA", "W10", "!!", "A" * 9_000, "IiI", "WwAA"))
    return ".".join(parts)


def _garbage(dice: random.Random, _tokens: list[str]) -> str:
    return "".join(dice.choice(ALPHABET + "....") for _ in range(dice.randint(1, 400)))


def _changed(part: str, changes: dict[str, object]) -> str:
    value = {**json.loads(_bytes(part)), **changes}
    shown = {name: one for name, one in value.items() if one is not None}
    return base64.urlsafe_b64encode(json.dumps(shown).encode()).rstrip(b"=").decode()


def _bytes(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
