"""What a subtitle's name tells: its language, and for whom it is."""

from __future__ import annotations

from typing import BinaryIO

from schemas.found import Found
from streams.analysis.probe.read import Read
from streams.analysis.probe.text import clean, language

FORCED = frozenset(("forced", "foreign"))
"""Only what is said in another language than the film's."""
SDH = frozenset(("sdh", "cc", "hoh"))
"""For those who do not hear: "subtitles for the deaf and hard of hearing", "closed captions", "hard of hearing"."""
HEARING_IMPAIRED = "hi"
"""Hindi too (ISO 639-1), where no other language stands before it."""
PLAIN = frozenset(("default", "full", "srt", "sub", "subs", "subtitle", "subtitles"))
"""Words that say nothing of it; neither does a number of two digits."""
MAX_PARTS = 8
"""From the end: what a name is asked for stands there."""
_TWO_LETTERS = (
    "aa ab ae af ak am an ar as av ay az ba be bg bi bm bn bo br bs ca ce ch co cr cs cu cv cy da de dv dz ee el "
    "en eo es et eu fa ff fi fj fo fr fy ga gd gl gn gu gv ha he hi ho hr ht hu hy hz ia id ie ig ii ik io is it "
    "iu ja jv ka kg ki kj kk kl km kn ko kr ks ku kv kw ky la lb lg li ln lo lt lu lv mg mh mi mk ml mn mr ms mt "
    "my na nb nd ne ng nl nn no nr nv ny oc oj om or os pa pi pl ps pt qu rm rn ro ru rw sa sc sd se sg si sk sl "
    "sm sn so sq sr ss st su sv sw ta te tg th ti tk tl tn to tr ts tt tw ty ug uk ur uz ve vi vo wa wo xh yi yo "
    "za zh zu"
)
"""ISO 639-1."""
_THREE_LETTERS = (
    "afr alb amh ara arm asm ast aze baq bel ben bos bre bul bur cat ceb ces chi cmn cos cym cze dan deu dut ell "
    "eng epo est eus fao fas fil fin fra fre fry gla gle glg gre gsw guj hau heb hin hrv hun hye ibo ice ind isl "
    "ita jav jpn kan kat kaz khm kin kir kor kur lao lat lav lit ltz mac mal mao mar may mkd mlg mlt mon mri msa "
    "mya nds nep nld nno nob nor oci ori pan per pob pol por pus que roh ron rum rus san scc scr sin slk slo slv "
    "sme som sot spa sqi srp sun swa swe tam tat tel tgk tgl tha tib tur uig ukr urd uzb vie wel wol xho yid yor "
    "yue zho zul"
)
"""ISO 639-2 and -3, of the languages in which films are subtitled."""
LANGUAGES = frozenset((*_TWO_LETTERS.split(), *_THREE_LETTERS.split()))
"""Codes that are believed: otherwise the last word of a title is one, or the name of those who shared it."""


def read_subtitle(_file: BinaryIO, path: str) -> Read:
    """A subtitle's language stands in its name: `Film.en.srt`, `Film.pt-BR.forced.srt`."""
    tag, forced, sdh = subtitle_of(path.rpartition("/")[2])
    return Read(
        Found(
            category="subtitle",
            languages=() if tag is None else (tag,),
            container=clean(path.rpartition(".")[2].lower()),
            forced=forced,
            sdh=sdh,
        )
    )


def subtitle_of(name: str) -> tuple[str | None, bool, bool]:
    """Language (BCP 47, lower case), forced, for those who do not hear; of a file's name. Marks and language stand between
    its last dots (`en.forced`, `en-forced`, `[en]`), in any order: read from the end, to the first word that is neither."""
    tag: str | None = None
    marks: set[str] = set()
    for part in reversed(name.split(".")[1:-1][-MAX_PARTS:]):
        word = part.strip(" []()").casefold().replace("_", "-")
        before, _, mark = word.rpartition("-")
        if before and mark in FORCED | SDH | {HEARING_IMPAIRED}:
            marks.add(mark)
            word = before
        if word in FORCED | SDH or (word == HEARING_IMPAIRED and tag is None and word not in marks):
            marks.add(word)
        elif tag is None and word.partition("-")[0] in LANGUAGES:
            tag = language(word)
        elif word not in PLAIN and not (word.isdecimal() and len(word) <= 2):
            break
    if tag is None and HEARING_IMPAIRED in marks:
        tag = HEARING_IMPAIRED
        marks.remove(HEARING_IMPAIRED)
    return tag, bool(marks & FORCED), bool(marks & (SDH | {HEARING_IMPAIRED}))
