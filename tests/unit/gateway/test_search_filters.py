"""Every member of an item can be searched for, or there is a reason here why not."""

from __future__ import annotations

from gateway.tables.wanted import COLUMNS, COUNTED, FACTS, WITHIN, Search
from schemas.found import Found, Tags
from schemas.media import MediaItem

BY_OTHER_NAMES = {
    "title": "query", "path": "query", "directory_path": "query", "created_at": "created_since",
    "updated_at": "updated_since", "cover_image": "has_cover", "cover": "has_cover", "duration_ms": "duration_min",
    "languages": "language", "audio_tracks": "language", "subtitles": "subtitle_language",
    "subtitle_tracks": "subtitle_language", "subtitle_languages": "subtitle_language", "taken": "date_min",
    "credits": "person", "show": "query", "tags": "genre", "track": "query",
}  # fmt: skip
NOT_SEARCHABLE = {
    "id": "read by it", "description": "prose", "smb_path": "path has it", "path_b64": "path has it",
    "fingerprint": "unique", "last_episode": "episode has it", "part": "its neighbours have it", "warnings": "prose",
    "chapters": "unique", "taken_at": "a place is not a word", "disc": "album has it", "tracks": "album has it",
    "discs": "album has it", "number": "series has it",
}  # fmt: skip


def searchable(field: str) -> bool:
    names = {field, f"{field}_min", BY_OTHER_NAMES.get(field, field)}
    return bool(names & Search.model_fields.keys())


def test_every_field_of_items_and_of_what_is_found_has_a_filter_or_a_reason() -> None:
    fields = {*MediaItem.__struct_fields__, *Found.__struct_fields__, *Tags.__struct_fields__}
    assert {field for field in fields if searchable(field) == (field in NOT_SEARCHABLE)} == set()


def test_every_filter_is_a_parameter_with_a_description() -> None:
    assert {*COLUMNS, *FACTS, *WITHIN, *COUNTED} <= Search.model_fields.keys()
    assert [name for name, field in Search.model_fields.items() if not field.description] == []


def test_what_is_counted_by_is_found_by_the_index_of_words_too() -> None:
    assert WITHIN.keys() == COUNTED
