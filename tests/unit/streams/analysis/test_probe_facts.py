"""Files of facts: what media managers write beside a video, and the texts for people that have the same extension."""

from __future__ import annotations

import io
import random

import pytest

from schemas.found import Found
from streams.analysis.probe import probe
from streams.analysis.wire import Request

MOVIE = """<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<movie>
  <title>Солярис</title><originaltitle>Solaris</originaltitle><year>1972</year>
  <ratings><rating name="imdb" max="10"><value>7.9</value></rating>
    <rating name="ours" max="5" default="true"><value>4.05</value></rating></ratings>
  <plot>A station above
    an ocean.</plot><genre>Drama</genre><premiered>1972-03-20</premiered><studio>Mosfilm</studio>
  <actor><name>Donatas Banionis</name><role>Kris</role></actor>
</movie>
"""
EPISODE = """<episodedetails><title>Pilot</title><showtitle>Lost</showtitle><season>1</season><episode>02</episode>
<aired>2004-09-22</aired><rating>8.5</rating></episodedetails>"""


def found(text: str | bytes) -> Found:
    """What is read of it."""
    data = text if isinstance(text, bytes) else text.encode()
    reply = probe(io.BytesIO(data), Request("other", "x/Film.nfo"))
    assert (reply.status, reply.reason, reply.picture) == ("done", None, None)
    assert reply.found is not None
    return reply.found


@pytest.mark.parametrize("behind", ["", "https://www.example.org/title/tt0069293\n", "\0\0", "<another/>"])
def test_a_film_has_title_year_rating_and_plot(behind: str) -> None:
    read = found(MOVIE + behind)
    assert (read.title, read.year, read.rating, read.category) == ("Солярис", 1972, 8.1, "movie")
    assert read.tags is not None
    assert (read.tags.description, read.tags.publisher) == ("A station above an ocean.", "Mosfilm")


def test_an_episode_has_its_show_and_its_numbers() -> None:
    read = found(EPISODE)
    assert (read.category, read.season, read.episode, read.rating) == ("tv_show", 1, 2, 8.5)
    assert read.tags is not None
    assert (read.tags.show, read.tags.title) == ("Lost", "Pilot")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "  ▄▄▄▄ RELEASE ▄▄▄▄ \r\n Title....: Solaris",
        b"\xdb\xdb\xb2 Solaris \xb2\xdb\xdb",
        "<html><title>Solaris</title></html>",
        "<movie><title>Solaris",
        '<!DOCTYPE m [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><movie><title>&b;</title></movie>',
        "<movie>" + "<a>" * 50_000,
        "<movie><title>" + "x" * 300_000 + "</title></movie>",
    ],
)
def test_what_is_not_an_nfo_file_gives_nothing_and_is_not_damaged(text: str | bytes) -> None:
    assert found(text) == Found(container="nfo")


@pytest.mark.parametrize("rating", ["0", "-1", "11", "nan", "inf", "x", "", "1e400"])
def test_a_rating_that_is_none_is_not_read(rating: str) -> None:
    assert found(f"<movie><title>x</title><rating>{rating}</rating></movie>").rating is None


def test_damaged_ones_are_read_as_far_as_they_go() -> None:
    for seed in range(400):
        chance, data = random.Random(seed), bytearray(MOVIE.encode())
        for _ in range(chance.randrange(1, 6)):
            at = chance.randrange(len(data))
            data[at : at + chance.randrange(4)] = chance.randbytes(chance.randrange(4))
        read = found(bytes(data[: chance.randrange(len(data) + 1)]))
        assert read.rating is None or 0 < read.rating <= 10
