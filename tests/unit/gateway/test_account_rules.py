"""Rules of accounts: a refusal names the rule and never the value; a log never shows what may be a password."""

from __future__ import annotations

import pytest

from gateway.access.account_rules import BrokenRule, check_email, check_name, check_password, loggable

CANARY = "Canary-58213-x"


@pytest.mark.parametrize("name", ["a", "admin", "Anna.Maria-2", "Jürgen", "мария", "x" * 64])
def test_a_name_is_printable_and_short(name: str) -> None:
    check_name(name)


@pytest.mark.parametrize(
    "name",
    ["", "x" * 65, "an na", " anna", "anna\n", "a\tb", "a\x00b", "a\u200bb", "a\u202eb", "anna@example.org"],
)
def test_another_name_is_refused_by_the_rule(name: str) -> None:
    with pytest.raises(BrokenRule, match=r"^name: (1 to 64 characters|printable characters without spaces)"):
        check_name(name)


@pytest.mark.parametrize(
    ("email", "sound"),
    [
        ("anna@example.org", True),
        ("admin@localhost", True),
        ("", False),
        ("anna", False),
        ("a@b@c", False),
        ("a b@c", False),
        ("a\x00@b", False),
        ("x" * 250 + "@host", False),
    ],
)
def test_an_email_address_has_one_at_sign_and_no_spaces(email: str, sound: bool) -> None:
    if sound:
        check_email(email)
    else:
        with pytest.raises(BrokenRule, match=r"^email: name@host"):
            check_email(email)


@pytest.mark.parametrize("password", ["12345678", "correct horse battery", "пароль-пароль", "x" * 1_024])
def test_a_password_has_8_characters_at_least(password: str) -> None:
    check_password(password)


@pytest.mark.parametrize(
    "password", ["", "1234567", "x" * 1_025, "two\nlines-of-it", "nul\x00-nul-nul", "\ud800" * 9]
)
def test_another_password_is_refused_by_the_rule_and_not_repeated(password: str) -> None:
    with pytest.raises(BrokenRule, match=r"^password: (8 to 1024 characters|one line of UTF-8 text)") as refused:
        check_password(password)
    assert not password or password not in str(refused.value)


@pytest.mark.parametrize("tried", ["root", "admin", "nobody", "Anna.Maria", "test12", "anna@example.org"])
def test_a_name_that_looks_like_one_is_logged(tried: str) -> None:
    assert loggable(tried, None) == tried


@pytest.mark.parametrize(
    "tried",
    [CANARY, "Sommer2024", "correct horse battery", "hunter2!", "x\n[error] forged", "p@ss w0rd", "9lives"],
)
def test_what_may_be_a_password_is_not_logged(tried: str) -> None:
    assert tried not in loggable(tried, None)


def test_a_name_of_an_account_is_logged_cut_and_escaped() -> None:
    assert loggable("ANNA@example.org", "Sommer2024") == "Sommer2024"
    assert loggable("x", "a\nb\x1b[2J") == "a\\nb\\x1b[2J"
    assert loggable("x" * 100, None) == "x" * 64
