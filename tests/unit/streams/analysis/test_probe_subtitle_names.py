"""A subtitle's name tells its language and for whom it is; a title that ends like a language is none."""

from __future__ import annotations

import io

import pytest

from schemas.found import Found
from streams.analysis import probe
from streams.analysis.probe.names import subtitle_of
from streams.analysis.wire import Request


@pytest.mark.parametrize(("name", "told"), [
    ("Film.srt", (None, False, False)),
    ("Film.en.srt", ("en", False, False)),
    ("Film.eng.srt", ("eng", False, False)),
    ("Film.pt-BR.srt", ("pt-br", False, False)),
    ("Film.zh_Hans.srt", ("zh-hans", False, False)),
    ("Film.es-419.srt", ("es-419", False, False)),
    ("Film.[en].srt", ("en", False, False)),
    ("Film.en.forced.srt", ("en", True, False)),
    ("Film.forced.en.srt", ("en", True, False)),
    ("Film.en-forced.srt", ("en", True, False)),
    ("Film.pt-BR.sdh.srt", ("pt-br", False, True)),
    ("Film.eng.cc.srt", ("eng", False, True)),
    ("Film.sdh.srt", (None, False, True)),
    ("Film.de.forced.sdh.srt", ("de", True, True)),
    ("Film.hi.srt", ("hi", False, False)),
    ("Film.en.hi.srt", ("en", False, True)),
    ("Film.hi.hi.srt", ("hi", False, True)),
    ("Film.hi.forced.srt", ("hi", True, False)),
    ("Film.hi.sdh.srt", ("hi", False, True)),
    ("Film.hin.hi.srt", ("hin", False, True)),
    ("Film.en.2.srt", ("en", False, False)),
    ("Film.2001.1080p.en.default.srt", ("en", False, False)),
    ("Forced.Landing.1935.srt", (None, False, False)),
    ("The.Man.in.Black.srt", (None, False, False)),
    ("The.Silver.Fox.srt", (None, False, False)),
    ("Film.2010.BDRip.YTS.srt", (None, False, False)),
    ("en.srt", (None, False, False)),
    ("", (None, False, False)),
    ("." * 100_000, (None, False, False)),
])  # fmt: skip
def test_language_and_marks_stand_between_the_last_dots(name: str, told: tuple[str | None, bool, bool]) -> None:
    assert subtitle_of(name) == told


def test_a_subtitle_is_found_by_its_name_alone() -> None:
    reply = probe.probe(io.BytesIO(), Request("subtitle", "A.en/Film.pt-BR.sdh.forced.ass"))
    assert reply.found == Found(category="subtitle", languages=("pt-br",), container="ass", forced=True, sdh=True)
