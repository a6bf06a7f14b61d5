"""The parameters of a search in the catalogue, and what each of them means in SQL, as tables.

A new filter is a field here and a line in one table; for results of analysis that `search_facts`
(`schemas/sql/0007_search.sql`) names, the field is enough.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Literal, LiteralString

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field

from schemas.ids import MAX_SAFE

SortBy = Literal["updated_at", "created_at", "title", "year", "rating", "file_size", "relevance"]
SortOrder = Literal["asc", "desc"]

COLUMNS: Mapping[str, LiteralString] = {
    "media_type": "(m.media_type = %(media_type)s OR m.category = %(media_type)s)",
    "year": "m.year = %(year)s",
    "year_min": "m.year >= %(year_min)s",
    "year_max": "m.year <= %(year_max)s",
    "rating_min": "m.rating >= %(rating_min)s",
    "rating_max": "m.rating <= %(rating_max)s",
    "quality": "m.quality = %(quality)s",
    "storage_root": "m.storage_root = %(storage_root)s",
    "library": "m.library = %(library)s",
    "category": "m.category = %(category)s",
    "artist": "lower(m.artist) = lower(%(artist)s)",
    "album": "lower(m.album) = lower(%(album)s)",
    "author": "lower(m.author) = lower(%(author)s)",
    "series": "lower(m.series) = lower(%(series)s)",
    "date_min": "m.date >= %(date_min)s",
    "date_max": "left(m.date, length(%(date_max)s)) <= %(date_max)s",
    "belongs_to": "m.belongs_to = %(belongs_to)s",
    "file_size_min": "m.file_size >= %(file_size_min)s",
    "file_size_max": "m.file_size <= %(file_size_max)s",
    "created_since": "m.created_at >= %(created_since)s",
    "created_until": "m.created_at < %(created_until)s",
    "updated_since": "m.updated_at >= %(updated_since)s",
    "updated_until": "m.updated_at < %(updated_until)s",
    "duration_min": "m.duration >= %(duration_min)s",
    "duration_max": "m.duration <= %(duration_max)s",
    "width_min": "m.width >= %(width_min)s",
    "width_max": "m.width <= %(width_max)s",
    "height_min": "m.height >= %(height_min)s",
    "height_max": "m.height <= %(height_max)s",
    "bit_rate_min": "m.bit_rate >= %(bit_rate_min)s",
    "bit_rate_max": "m.bit_rate <= %(bit_rate_max)s",
    "pages_min": "m.pages >= %(pages_min)s",
    "pages_max": "m.pages <= %(pages_max)s",
    "has_cover": "(m.cover_image IS NOT NULL) = %(has_cover)s",
}
"""Filters of columns."""

FACTS = (
    "container", "video_codec", "audio_codec", "hdr", "hdr_kind", "frame_rate", "sample_rate", "channels", "camera",
    "lens", "genre", "composer", "publisher", "narrator", "season", "episode", "edition", "language",
    "subtitle_language", "person", "analysis", "corrected", "album_artist", "forced", "sdh",
)  # fmt: skip
"""Filters of analysis results: the names of `search_facts`, compared in lower case."""

ONLY_TRUE = frozenset({"forced", "sdh"})
"""Facts that an item has or does not have; their absence is not recorded."""

WITHIN: Mapping[str, tuple[str, ...]] = {
    "media_type": ("type", "category"),
    "quality": ("quality",),
    "storage_root": ("root",),
    "library": ("library",),
    "category": ("category",),
}
"""Filters of columns that are facts too, by their names there: one index finds them together with words."""
MAX_FACT = 200

COUNTED = frozenset({"media_type", "category", "quality", "storage_root", "library"})
"""Columns of `media_counts`: searches that use no other are counted there."""

FACET_COLUMNS: Mapping[str, LiteralString] = {
    "media_type": "m.media_type",
    "category": "m.category",
    "year": "m.year::text",
    "quality": "m.quality",
    "storage_root": "m.storage_root",
    "library": "m.library",
    "artist": "m.artist",
    "album": "m.album",
    "author": "m.author",
    "series": "m.series",
}
FACETS = (*FACET_COLUMNS, *FACTS)
MAX_FACETS = 12


def _facets(value: object) -> object:
    """From the parameter, which may be repeated (then it is a list): names between commas, each of which counts once."""
    parts = value if isinstance(value, list) else [value]
    texts = [part for part in parts if isinstance(part, str)]
    if len(texts) < len(parts):
        return value
    return tuple(dict.fromkeys(name for text in texts for name in text.split(",") if name))


Text = Annotated[Annotated[str, Field(max_length=1_024)] | None, BeforeValidator(lambda text: text or None)]
Day = Annotated[
    Annotated[str, Field(pattern=r"^[0-9]{4}(-[0-9]{2}){0,2}$")] | None, BeforeValidator(lambda text: text or None)
]
Year = Annotated[int | None, Field(ge=0, le=9_999)]
Size = Annotated[int | None, Field(ge=0, lt=MAX_SAFE)]
Count = Annotated[int | None, Field(ge=0, lt=2**31)]
Share = Annotated[float | None, Field(ge=0, le=100, allow_inf_nan=False)]
Seconds = Annotated[float | None, Field(ge=0, le=1e9, allow_inf_nan=False)]


class Search(BaseModel):
    """What to look for, also as the parameters of a request. None, and an empty text: any."""

    model_config = ConfigDict(frozen=True)

    query: Text = Field(
        None,
        description="words, in any order, anywhere in title, path, artist, album, author or series; parts of words of three"
        " letters and more, beginnings of shorter ones; case and accents aside; with errors where nothing is found as typed",
    )
    media_type: Text = Field(None, description="`video`, `audio`, …, or a category")
    year: Year = Field(None, description="exactly this year")
    year_min: Year = Field(None, description="this year or later")
    year_max: Year = Field(None, description="this year or earlier")
    rating_min: Share = Field(None, description="rated so or better")
    rating_max: Share = Field(None, description="rated so or worse")
    quality: Text = Field(None, description="`1080p`, `2160p`, …")
    storage_root: Text = Field(None, description="the name of a storage root")
    library: Text = Field(None, description="the name of a library")
    category: Text = Field(None, description="`movie`, `music`, …: see the item's `category`")
    artist: Text = Field(None, description="of music; the whole name, case aside")
    album: Text = Field(None, description="of music; the whole name, case aside")
    author: Text = Field(None, description="of books, read or read aloud; the whole name, case aside")
    series: Text = Field(None, description="of books and comics; the whole name, case aside")
    date_min: Day = Field(None, description="taken or shown then or later: YYYY, YYYY-MM or YYYY-MM-DD")
    date_max: Day = Field(None, description="taken or shown then or earlier: YYYY, YYYY-MM or YYYY-MM-DD")
    belongs_to: int | None = Field(None, ge=0, lt=MAX_SAFE, description="the parts of this item")
    with_parts: bool = Field(False, description="posters, subtitles and the like among the others")
    file_size_min: Size = Field(None, description="bytes, at least")
    file_size_max: Size = Field(None, description="bytes, at most")
    created_since: AwareDatetime | None = Field(None, description="in the catalogue since then or later")
    created_until: AwareDatetime | None = Field(None, description="in the catalogue before then")
    updated_since: AwareDatetime | None = Field(None, description="changed then or later")
    updated_until: AwareDatetime | None = Field(None, description="changed before then")
    duration_min: Seconds = Field(None, description="seconds, at least")
    duration_max: Seconds = Field(None, description="seconds, at most")
    width_min: Count = Field(None, description="pixels as seen, at least")
    width_max: Count = Field(None, description="pixels as seen, at most")
    height_min: Count = Field(None, description="pixels as seen, at least")
    height_max: Count = Field(None, description="pixels as seen, at most")
    bit_rate_min: Size = Field(None, description="bit/s, at least")
    bit_rate_max: Size = Field(None, description="bit/s, at most")
    pages_min: Count = Field(None, description="of books, at least")
    pages_max: Count = Field(None, description="of books, at most")
    has_cover: bool | None = Field(None, description="with a cover, or without one")
    container: Text = Field(None, description="the file's container: `matroska`, …")
    video_codec: Text = Field(None, description="`h264`, `hevc`, `av1`, …")
    audio_codec: Text = Field(None, description="of the sound that is played first")
    hdr: bool | None = Field(None, description="with or without high dynamic range, where that is known")
    hdr_kind: Text = Field(None, description="`HDR10`, `HDR10+`, `HLG`, `Dolby Vision`")
    frame_rate: Text = Field(None, description="frames a second, as the item has it")
    sample_rate: Count = Field(None, description="Hz")
    channels: Count = Field(None, description="of the sound that is played first")
    camera: Text = Field(None, description="with which a photo was taken; the whole name, case aside")
    lens: Text = Field(None, description="with which a photo was taken; the whole name, case aside")
    genre: Text = Field(None, description="by the file's tags; the whole name, case aside")
    composer: Text = Field(None, description="by the file's tags; the whole name, case aside")
    publisher: Text = Field(None, description="by the file's tags; the whole name, case aside")
    narrator: Text = Field(None, description="by the file's tags; the whole name, case aside")
    album_artist: Text = Field(None, description="by the file's tags; the whole name, case aside")
    season: Count = Field(None, description="of a show")
    episode: Count = Field(None, description="of a season")
    edition: Text = Field(None, description="in words, as the item has it")
    language: Text = Field(None, description="among the languages of its sound, or of a book")
    subtitle_language: Text = Field(None, description="among the languages of its subtitles, inside and beside")
    forced: bool | None = Field(None, description="subtitles for what is foreign in a film, or all but these")
    sdh: bool | None = Field(None, description="subtitles for those who do not hear, or all but these")
    person: Text = Field(
        None, description="somebody who made it, by the file's credits; the whole name, case aside"
    )
    analysis: Text = Field(None, description="how its newest analysis ended")
    corrected: Text = Field(None, description="a member that a person has set")
    facets: Annotated[tuple[str, ...], BeforeValidator(_facets)] = Field(
        (),
        description="names with commas between, of which the values with the most hits are counted: "
        + ", ".join(FACETS),
        json_schema_extra={"type": "string"},
    )
    sort_by: SortBy = Field(
        "updated_at", description="`relevance`: what matches best comes first; without `query` it is `updated_at`"
    )
    sort_order: SortOrder = Field("desc", description="of `relevance` there is one order only")
    limit: int = Field(24, ge=1, le=200, description="items of a page")
    offset: int = Field(
        0, ge=0, lt=MAX_SAFE, description="items before the page; far ones are refused: use `cursor`"
    )
    cursor: str | None = Field(
        None, max_length=2_048, description="the `next_cursor` of the page before, of the same search"
    )

    @property
    def filters(self) -> dict[str, object]:
        """The filters that are set, except the query."""
        return {name: value for name in (*COLUMNS, *FACTS) if (value := getattr(self, name)) is not None}

    @property
    def parts_hidden(self) -> bool:
        """Whether parts of other items are excluded."""
        return self.belongs_to is None and not self.with_parts


def fact(name: str, value: object) -> str:
    """In the form that `search_facts` writes."""
    text = str(value).lower() if not isinstance(value, datetime) else value.isoformat()
    return f"{name}={text[:120]}"
