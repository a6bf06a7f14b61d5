"""All that decides outputs besides the records themselves, as one frozen value per version of the fold.

The rules of a version must never be changed: a replay must give the same outputs as the live run with the same version.
New rules are a new value with the next number, made from the one before it, so that a diff shows what changed; a lane
adopts them at a record (`rules_adopted`). `Rules.digest` names the data; a test pins the digest of every version.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import msgspec
from msgspec import Struct

from schemas.found import MediaType
from streams.core.path_names.beside import BESIDE_4, BesideWords
from streams.core.path_names.words import WORDS_3, WORDS_4, PathWords
from streams.errors import StreamsError

FIRST_VERSION = 1
"""The rules by which every log is folded from its beginning."""


class UnknownRules(StreamsError):
    """This program does not have the rules of `version`; `program`: a version of the program that has them, if the log
    names one."""

    def __init__(self, version: int, program: str = "") -> None:
        self.version = version
        self.program = program
        super().__init__(f"rules of version {version}")


class Windows(Struct, frozen=True):
    """A root's windows in milliseconds of lane time; these defaults apply unless the root declares others."""

    debounce: int = 2_000
    max_hold: int = 30_000
    rename: int = 2_000


class NamePatterns(Struct, frozen=True):
    """Regular expressions (Python's `re`) that read a name, and how their matches are written."""

    year: str
    episode: str
    quality: str
    junk: str
    track: str
    quality_names: tuple[tuple[str, str], ...]
    """From the spelling in a name to the value: `4k` is `2160p`."""
    edges: str
    """Characters removed from both ends of a title."""
    unnamed: str
    """The title if a name has none."""


class Rules(Struct, frozen=True, eq=False, omit_defaults=True):
    """Sizes in bytes, times in milliseconds of lane time.

    `extensions`: file name extensions (lower case, without the dot, separated by spaces) by media type; any other is
    `other` · `probed`: media types for which an analysis job is requested · `title_cap`: maximum characters of a title
    · `tiny_bytes`: below this size two files are regarded as the same only when their names are equal as well ·
    `job_patience_ms`: a job without a result is requested again after this time, `job_attempts` times in all ·
    `batch_quiet_ms`: a batch of jobs outside scans has ended when none was open for this time · `request_window`: how
    many jobs of analyses on request are open at once in a lane · `raw_cap_bytes`: a longer record is rejected, so that
    outputs stay below `output_cap_bytes`, to which they are shortened · `cover_url`: prefix of a cover's hash ·
    `encoding`: how outputs are encoded (`schemas.codec`; a struct's fields in their order) · `paths`: the words by
    which whole paths are read; None: only names are read, by `names` · `beside`: the words for files that belong to
    something beside them; None: nothing belongs to anything · `probed_too`: extensions of files that are analysed
    although their media type is not · `evidence`: the contents may determine the media type, a container's title is
    used if the name has none, all members of what was found are published, and a person may correct an item; else what
    was found is cut to the members of `FOUND_3` and `TAGS_3` · `whence`: an item that comes from another root is
    published with what it was there · `media_ids`: how an item's id is made (`schemas.ids`) · `stages`: the decision
    (its number) that last changed what the stages do with all this, so that the state of a build that decided
    differently is rejected at once, and not found to differ later."""

    version: int
    extensions: tuple[tuple[MediaType, str], ...]
    probed: tuple[MediaType, ...]
    names: NamePatterns
    title_cap: int
    windows: Windows
    tiny_bytes: int
    job_patience_ms: int
    job_attempts: int
    batch_quiet_ms: int
    request_window: int
    raw_cap_bytes: int
    output_cap_bytes: int
    cover_url: str
    encoding: str
    media_ids: str
    stages: str
    paths: PathWords | None = None
    beside: BesideWords | None = None
    probed_too: str = ""
    evidence: bool = False
    whence: bool = False

    @property
    def digest(self) -> str:
        """The rules' data in 16 hexadecimal digits: the first of SHA-256 over it as JSON with sorted keys."""
        return hashlib.sha256(msgspec.json.encode(self, order="sorted")).hexdigest()[:16]


RULES_1 = Rules(
    version=1,
    extensions=(
        ("video", "3gp asf avi divx f4v flv m2ts m4v mkv mov mp4 mpeg mpg mts ogm ogv rm rmvb ts vob webm wmv"),
        ("audio", "aac aif aiff alac ape dsf flac m4a m4b mid mka mp2 mp3 mpc oga ogg opus wav wma wv"),
        (
            "image",
            "avif bmp cr2 cr3 dng gif heic heif jfif jpeg jpg jxl nef orf png psd raw rw2 svg tga tif tiff webp",
        ),
        ("book", "azw azw3 cb7 cbr cbt cbz chm djvu doc docx epub fb2 lit mobi odt pdf rtf"),
        ("archive", "7z bz2 gz iso lz lzma rar tar tbz2 tgz txz xz zip zst"),
        ("subtitle", "ass idx smi srt ssa stl sub sup ttml vtt"),
    ),
    probed=("video", "audio", "image", "book"),
    names=NamePatterns(
        year=r"(?<![0-9])(?:[(\[]\s*)?((?:19|20)[0-9]{2})(?:\s*[)\]])?(?![0-9px])",
        episode=r"(?i)(?<![a-z0-9])s([0-9]{1,2})[ ._-]*e([0-9]{1,3})(?![0-9])",
        quality=r"(?i)(?<![a-z0-9])(4320p|2160p|1440p|1080[pi]|720p|576p|480p|4k|8k|uhd)(?![a-z0-9])",
        junk=(
            r"(?i)(?<![a-z0-9])(?:4320p|2160p|1440p|1080[pi]|720p|576p|480p|4k|8k|uhd|blu-?ray|brrip|bdrip|web-?dl|"
            r"web-?rip|hdtv|dvdrip|remux|x26[45]|h\.?26[45]|hevc|xvid|aac|dts|ac3|hdr(?:10)?|proper|"
            r"repack)(?![a-z0-9])"
        ),
        track=r"^(?:[0-9]{1,2}-)?[0-9]{1,3}(?:\s*[-.]\s*|\s+)(?=\S)",
        quality_names=(("4k", "2160p"), ("uhd", "2160p"), ("8k", "4320p"), ("1080i", "1080i")),
        edges=" -–.,[(",
        unnamed="unnamed",
    ),
    title_cap=300,
    windows=Windows(),
    tiny_bytes=64,
    job_patience_ms=86_400_000,
    job_attempts=3,
    batch_quiet_ms=2_000,
    request_window=64,
    raw_cap_bytes=65_536,
    output_cap_bytes=262_144,
    cover_url="/api/v1/covers/",
    encoding="json: msgspec, defaults left out, times to the millisecond",
    media_ids="base + (offset + 1) * 1024 + lane",
    stages="0026",
)

RULES_2 = msgspec.structs.replace(
    RULES_1,
    version=2,
    names=msgspec.structs.replace(
        RULES_1.names,
        # a number after an x is a height, as in 1080x1920, and not a year
        year=r"(?<![0-9])(?<![0-9][xX×])(?:[(\[]\s*)?((?:19|20)[0-9]{2})(?:\s*[)\]])?(?![0-9px])",
        # a number that is not written like a track number belongs to the title: 99 Luftballons
        track=r"^(?:[0-9]{1,2}-[0-9]{1,3}(?:\s*[-.]\s*|\s+)|[0-9]{1,3}\s*[-.]\s*|0[0-9]{1,2}\s+)(?=\S)",
        # an opening bracket before removed text is removed with it; one at the start of a title is kept: (500) Days of
        # Summer
        junk=r"(?i)(?:[(\[]\s*)?" + RULES_1.names.junk.removeprefix("(?i)"),
        edges=" -–.,",
    ),
)

RULES_3 = msgspec.structs.replace(
    RULES_2,
    version=3,
    extensions=(
        (
            "video",
            "3g2 3gp asf avi divx dv f4v flv insv lrv m2t m2ts m2v m4v mkv mod mov mp4 mpeg mpg mts"
            " mxf ogm ogv rm rmvb tod ts"
            " vob vro webm wmv wtv",
        ),
        (
            "audio",
            "3ga aac aax ac3 aif aiff alac amr ape au caf dff dsf dts eac3 flac m4a m4b mid mka mp2"
            " mp3 mpc oga ogg opus ra"
            " spx tak thd tta w64 wav wma wv",
        ),
        (
            "image",
            "3fr apng arw avif bmp cr2 cr3 crw dcr dng erf gif heic heif iiq jfif jp2 jpeg jpg jxl"
            " kdc mef mos mrw nef nrw"
            " orf pef png psd raf raw rw2 rwl sr2 srf srw svg tga tif tiff webp x3f",
        ),
        *RULES_2.extensions[3:],
    ),
    stages="0031",
    paths=WORDS_3,
)

RULES_4 = msgspec.structs.replace(
    RULES_3,
    version=4,
    stages="0032",
    paths=WORDS_4,
    beside=BESIDE_4,
    probed_too=BESIDE_4.facts_extensions,
    evidence=True,
)

RULES_5 = msgspec.structs.replace(RULES_4, version=5, stages="0036", whence=True)

RULES: Mapping[int, Rules] = {rules.version: rules for rules in (RULES_1, RULES_2, RULES_3, RULES_4, RULES_5)}
"""All rules that this program has, by version."""

NEWEST = max(RULES)
