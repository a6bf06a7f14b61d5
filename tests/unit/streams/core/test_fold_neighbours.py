"""What lies beside a film, an episode, an album or a book belongs to it: hidden from search, published with it."""

from __future__ import annotations

import random
from typing import Any

import msgspec
import pytest

from schemas import raw
from schemas.found import Found, Tags
from schemas.media import MediaItem
from schemas.raw import Correction, FileState
from streams.core import neighbours, state_bytes
from streams.core.fold import Fold
from streams.core.neighbours import Neighbours
from streams.core.rules import RULES, RULES_3, RULES_4
from streams.core.state import Entry, State
from tests.support.lane import Lane, a_file, kinds
from tests.support.refold import digest, folded, stored

POSTER, FACTS = "ab" * 16, "cd" * 16


@pytest.fixture
def lane() -> Lane:
    """A lane by the newest rules, with one declared root, `films`."""
    return by_rules(4)


def by_rules(version: int) -> Lane:
    """A lane that is folded by them from its beginning."""
    state = State()
    state.rules_version = version
    lane = Lane(Fold(0, state=state))
    lane.declare()
    return lane


class Shelf:
    """Files that come, go and are analysed, and what was last published of them."""

    def __init__(self, lane: Lane) -> None:
        self.lane = lane
        self.inode = 100

    def put(self, *paths: str) -> None:
        """New files."""
        for path in paths:
            self.inode += 1
            self.lane.see(path, a_file(self.inode))
        self.lane.quiet()

    def take(self, *paths: str) -> None:
        """They are gone."""
        for path in paths:
            self.lane.see(path, None)
        self.lane.quiet()

    def move(self, source: str, path: str) -> None:
        """The kernel says so."""
        entry = self.lane.fold.state.known["films"][source]
        self.lane.move(source, path, FileState("file", entry.size, entry.mtime_ns, entry.dev, entry.inode))
        self.lane.quiet()

    def read(self, path: str, **found: Any) -> None:
        """An analysis has found something."""
        entry = self.lane.fold.state.known["films"][path]
        assert entry.job is not None, f"{path} is not analysed"
        self.lane.put(
            raw.Result(
                job=entry.job, media_id=entry.media_id, root="films", size=entry.size, mtime_ns=entry.mtime_ns,
                inode=entry.inode, status="done", found=Found(**found),
            )
        )  # fmt: skip

    def correct(self, path: str, withdrawn: tuple[raw.CorrectedField, ...] = (), **emitted: Any) -> list[str]:
        """A person says so."""
        record = raw.Corrected(
            media_id=self.id(path), root="films", path=path, by="admin", at="2026-01-01T00:00:00.000Z",
            correction=Correction(**emitted), withdrawn=withdrawn,
        )  # fmt: skip
        return kinds(self.lane.put(record))

    def id(self, path: str) -> int:
        """Of the item."""
        return self.lane.fold.state.known["films"][path].media_id

    def published(self, path: str) -> dict[str, Any]:
        """The item as readers know it."""
        return self.states()[self.id(path)]

    def states(self) -> dict[int, dict[str, Any]]:
        """All items as readers know them."""
        known: dict[int, dict[str, Any]] = {}
        for output in self.lane.outputs:
            if output.topic.name == "catalog.media.state.v1":
                if output.value is None:
                    known.pop(int(output.key), None)
                else:
                    known[int(output.key)] = msgspec.json.decode(output.value)
        return known


@pytest.fixture
def shelf(lane: Lane) -> Shelf:
    return Shelf(lane)


@pytest.mark.parametrize(
    ("owner", "beside"),
    [
        ("Alien (1979).mkv", "Alien (1979)-poster.jpg"),
        ("Alien (1979).mkv", "Alien (1979).jpg"),
        ("Alien (1979).mkv", "Alien (1979).de.srt"),
        ("Alien (1979).mkv", "alien (1979).EN.forced.srt"),
        ("Alien (1979).mkv", "Alien (1979).nfo"),
        ("Alien (1979)/Alien (1979).mkv", "Alien (1979)/poster.jpg"),
        ("Alien (1979)/Alien (1979).mkv", "Alien (1979)/fanart.jpg"),
        ("Alien (1979)/Alien (1979).mkv", "Alien (1979)/movie.nfo"),
        ("Alien (1979)/Alien (1979).mkv", "Alien (1979)/Subs/2_English.srt"),
        ("Lost/Season 1/Lost S01E02.mkv", "Lost/Season 1/Lost S01E02-thumb.jpg"),
        ("Lost/Season 1/Lost S01E02.mkv", "Lost/Season 1/poster.jpg"),
        ("Lost/Season 1/Lost S01E02.mkv", "Lost/Season 1/season01-poster.jpg"),
        ("Lost/Season 1/Lost S01E02.mkv", "Lost/poster.jpg"),
        ("TV/Lost/Staffel 1/Lost S01E02.mkv", "TV/Lost/tvshow.nfo"),
        ("TV/Lost/Season 1/Lost S01E02.mkv", "TV/Lost/season01-poster.jpg"),
        ("Music/Kate Bush/Aerial (2005)/01 Prelude.flac", "Music/Kate Bush/Aerial (2005)/cover.jpg"),
        ("Books/Emma.epub", "Books/Emma.jpg"),
    ],
)
def test_it_belongs_to_what_it_lies_beside_whichever_comes_first(owner: str, beside: str) -> None:
    for paths in ((owner, beside), (beside, owner)):
        shelf = Shelf(by_rules(4))
        for path in paths:
            shelf.put(path)
        assert shelf.published(beside)["belongs_to"] == shelf.id(owner)
        assert "belongs_to" not in shelf.published(owner)


@pytest.mark.parametrize(
    ("others", "alone"),
    [
        (["IMG_2034.mov"], "IMG_2034.jpg"),
        (["DCIM/20180714_153000.mp4"], "DCIM/cover.jpg2.jpg"),
        (["Alien (1979).mkv", "Heat (1995).mkv"], "poster.jpg"),
        (["Photos/a.png"], "Photos/cover.jpg"),
        (["Alien (1979).mkv"], "Aliens (1986).srt"),
        (["Alien (1979)-trailer.mkv"], "folder.jpg"),
        (["TV/Lost/Season 1/Lost S01E02.mkv"], "TV/poster.jpg"),
        (["TV/Lost/Lost S01E02.mkv"], "TV/poster.jpg"),
    ],
)
def test_nothing_belongs_to_what_it_is_no_part_of(shelf: Shelf, others: list[str], alone: str) -> None:
    shelf.put(*others, alone)
    assert "belongs_to" not in shelf.published(alone)


def test_a_film_has_the_cover_the_languages_and_the_facts_that_lie_beside_it(shelf: Shelf) -> None:
    shelf.put("Aline (1979).mkv", "Aline (1979)-poster.jpg", "Aline (1979).de.srt", "Aline (1979).nfo")
    film = "Aline (1979).mkv"
    shelf.read(film, cover="ee" * 16, subtitles=("en",), duration_ms=7_000_000)
    assert shelf.published(film)["cover_image"].endswith("ee" * 16)
    shelf.read("Aline (1979)-poster.jpg", cover=POSTER)
    shelf.read(
        "Aline (1979).nfo",
        title="Alien",
        year=1979,
        category="movie",
        rating=8.5,
        tags=Tags(description="In space."),
    )
    published = shelf.published(film)
    assert published["cover_image"].endswith(POSTER)
    assert published["subtitle_languages"] == ["en", "de"]
    assert (published["title"], published["rating"], published["description"]) == (
        "Alien (1979)",
        8.5,
        "In space.",
    )
    shelf.take("Aline (1979)-poster.jpg", "Aline (1979).nfo", "Aline (1979).de.srt")
    published = shelf.published(film)
    assert published["cover_image"].endswith("ee" * 16)
    assert published["title"] == "Aline (1979)"
    assert published["subtitle_languages"] == ["en"]


def test_a_song_has_its_own_cover_first_and_the_albums_otherwise(shelf: Shelf) -> None:
    songs = ["Music/Abba/Gold/01 One.mp3", "Music/Abba/Gold/02 Two.mp3"]
    shelf.put(*songs, "Music/Abba/Gold/folder.jpg")
    shelf.read(songs[0], cover="ee" * 16)
    shelf.read("Music/Abba/Gold/folder.jpg", cover=POSTER)
    assert [shelf.published(song)["cover_image"][-32:] for song in songs] == ["ee" * 16, POSTER]
    assert shelf.published("Music/Abba/Gold/folder.jpg")["belongs_to"] == shelf.id(songs[0])


def test_what_is_gone_from_a_directory_is_gone_from_all_it_served(shelf: Shelf) -> None:
    songs = ["Music/Abba/Gold/01 One.mp3", "Music/Abba/Gold/02 Two.mp3"]
    shelf.put(*songs, "Music/Abba/Gold/folder.jpg")
    shelf.read("Music/Abba/Gold/folder.jpg", cover=POSTER)
    shelf.take("Music/Abba/Gold/folder.jpg")
    assert not any("cover_image" in shelf.published(song) for song in songs)


def test_an_episode_does_not_get_the_poster_of_its_season(shelf: Shelf) -> None:
    shelf.put("Lost/Season 1/Lost S01E01.mkv", "Lost/Season 1/poster.jpg")
    shelf.read("Lost/Season 1/poster.jpg", cover=POSTER)
    assert "cover_image" not in shelf.published("Lost/Season 1/Lost S01E01.mkv")


def test_what_moves_away_belongs_to_nothing_and_what_follows_belongs_again(shelf: Shelf) -> None:
    shelf.put("a/Alien (1979).mkv", "a/Alien (1979).en.srt")
    subtitle = shelf.id("a/Alien (1979).en.srt")
    shelf.move("a/Alien (1979).mkv", "b/Alien (1979).mkv")
    assert "belongs_to" not in shelf.states()[subtitle]
    assert "subtitle_languages" not in shelf.published("b/Alien (1979).mkv")
    shelf.move("a/Alien (1979).en.srt", "b/Alien (1979).en.srt")
    assert shelf.states()[subtitle]["belongs_to"] == shelf.id("b/Alien (1979).mkv")
    assert shelf.published("b/Alien (1979).mkv")["subtitle_languages"] == ["en"]


def test_a_second_film_takes_the_poster_from_the_first(shelf: Shelf) -> None:
    shelf.put("Alien (1979).mkv", "poster.jpg")
    shelf.read("poster.jpg", cover=POSTER)
    assert shelf.published("Alien (1979).mkv")["cover_image"].endswith(POSTER)
    shelf.put("Heat (1995).mkv")
    assert "cover_image" not in shelf.published("Alien (1979).mkv")
    assert "belongs_to" not in shelf.published("poster.jpg")


@pytest.mark.parametrize(
    ("name", "language", "forced", "sdh"),
    [
        ("Film.en.srt", "en", False, False),
        ("Film.eng.forced.srt", "en", True, False),
        ("Film.pt-BR.sdh.srt", "pt-br", False, True),
        ("Film.en.hi.srt", "en", False, True),
        ("Film.hi.srt", "hi", False, False),
        ("Film.German.srt", "de", False, False),
        ("Film.2.en.default.srt", "en", False, False),
        ("Film.srt", None, False, False),
        ("The.Hi.Life.srt", None, False, False),
    ],
)
def test_a_subtitle_gives_its_language(
    shelf: Shelf, name: str, language: str | None, forced: bool, sdh: bool
) -> None:
    shelf.put(name)
    published = shelf.published(name)
    assert published.get("subtitle_languages", []) == ([] if language is None else [language])
    assert (published.get("forced", False), published.get("sdh", False)) == (forced, sdh)


def test_a_crowd_in_one_directory_costs_no_more_than_it_is_large(shelf: Shelf) -> None:
    shelf.put("Music/cover.jpg", *(f"Music/{n} Song.mp3" for n in range(RULES_4.beside.most)))  # type: ignore[union-attr]
    assert shelf.published("Music/cover.jpg")["belongs_to"] == shelf.id("Music/0 Song.mp3")
    published = len(shelf.lane.outputs)
    shelf.put("Music/one more.mp3")
    assert "belongs_to" not in shelf.published("Music/cover.jpg")
    assert len(shelf.lane.outputs) - published < 10
    read = Neighbours._read
    reads = 0

    def counted(self: Neighbours, entry: Any) -> Any:
        nonlocal reads
        reads += 1
        return read(self, entry)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Neighbours, "_read", counted)
        shelf.put(*(f"Music/more {n}.mp3" for n in range(50)))
    assert reads < 500


def test_so_many_parts_that_they_are_none_cost_no_more_than_they_are(shelf: Shelf) -> None:
    most = RULES_4.beside.most  # type: ignore[union-attr]
    shelf.put("Alien (1979).mkv", *(f"Alien (1979).{n}.srt" for n in range(most)))
    assert shelf.published("Alien (1979).7.srt")["belongs_to"] == shelf.id("Alien (1979).mkv")
    shelf.put("Alien (1979).one more.srt", "Alien (1979).x1.srt", f"Alien (1979).{most}.srt")
    assert "belongs_to" not in shelf.published("Alien (1979).7.srt")
    assert "subtitle_languages" not in shelf.published("Alien (1979).mkv")
    read, looks = Neighbours.links_of, 0

    def counted(self: Neighbours, entry: Any) -> Any:
        nonlocal looks
        looks += 1
        return read(self, entry)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Neighbours, "links_of", counted)
        shelf.put(*(f"Alien (1979).{n}.srt" for n in range(most + 1, most + 51)))
    assert looks < 500
    shelf.take(*(f"Alien (1979).{n}.srt" for n in range(60)))
    assert shelf.published("Alien (1979).77.srt")["belongs_to"] == shelf.id("Alien (1979).mkv")


def test_what_is_due_with_a_record_that_is_none_is_published_with_it(shelf: Shelf) -> None:
    shelf.put("Alien (1979).mkv")
    lane = shelf.lane
    lane.see("Alien (1979).de.srt", a_file(7))
    lane.at += 5_000
    outputs = lane.fold.apply_bytes(lane.offset, lane.at, b"home", b"nonsense", [])
    lane.offset, lane.outputs = lane.offset + 1, lane.outputs + outputs
    assert shelf.published("Alien (1979).mkv")["subtitle_languages"] == ["de"]


# -- a person's correction


def test_a_person_is_right_whatever_becomes_of_the_file(shelf: Shelf) -> None:
    shelf.put("Mtarix (1990).mkv")
    assert shelf.correct("Mtarix (1990).mkv", title="The Matrix", year=1999) == ["media updated"]
    published = shelf.published("Mtarix (1990).mkv")
    assert (published["title"], published["year"], published["corrected"]) == (
        "The Matrix (1999)",
        1999,
        ["title", "year"],
    )
    shelf.move("Mtarix (1990).mkv", "x/Matrix Mtarix (1990).mkv")
    shelf.read("x/Matrix Mtarix (1990).mkv", cover="ee" * 16)
    assert shelf.published("x/Matrix Mtarix (1990).mkv")["title"] == "The Matrix (1999)"
    assert shelf.correct("x/Matrix Mtarix (1990).mkv", cover=POSTER) == ["media updated"]
    assert shelf.published("x/Matrix Mtarix (1990).mkv")["cover_image"].endswith(POSTER)
    assert shelf.correct("x/Matrix Mtarix (1990).mkv", withdrawn=("title", "year", "cover")) == ["media updated"]
    published = shelf.published("x/Matrix Mtarix (1990).mkv")
    assert "corrected" not in published
    assert published["title"] == "Matrix Mtarix (1990)"


def test_a_film_that_is_an_episode_becomes_one(shelf: Shelf) -> None:
    shelf.put("strange.mkv")
    shelf.correct("strange.mkv", title="Lost", season=1, episode=2)
    published = shelf.published("strange.mkv")
    assert (published["title"], published["category"], published["season"]) == ("Lost S01E02", "tv_show", 1)


def test_a_song_is_called_as_a_person_says(shelf: Shelf) -> None:
    shelf.put("Music/x.mp3")
    shelf.read("Music/x.mp3", tags=Tags(title="Wrong"))
    shelf.correct("Music/x.mp3", title="Right")
    assert shelf.published("Music/x.mp3")["title"] == "Right"


def test_a_correction_that_changes_nothing_says_nothing_and_an_unknown_item_does_not_count(shelf: Shelf) -> None:
    shelf.put("Alien (1979).mkv")
    shelf.correct("Alien (1979).mkv", title="Alien!")
    assert shelf.correct("Alien (1979).mkv", title="Alien!") == []
    record = raw.Corrected(media_id=7, root="films", path="x", by="a", at="", correction=Correction(title="X"))
    assert shelf.lane.put(record) == []
    assert shelf.lane.fold.dropped["unknown_item"] == 1


def test_a_correction_finds_an_item_that_has_been_renamed_meanwhile(shelf: Shelf) -> None:
    shelf.put("a.mkv")
    id_ = shelf.id("a.mkv")
    shelf.move("a.mkv", "b.mkv")
    shelf.lane.put(
        raw.Corrected(media_id=id_, root="films", path="a.mkv", by="a", at="", correction=Correction(title="B!"))
    )
    assert shelf.published("b.mkv")["title"] == "B!"


def test_rules_that_know_no_corrections_make_a_dead_letter_of_one() -> None:
    lane = by_rules(3)
    lane.see("a.mkv", a_file(1))
    lane.quiet()
    record = raw.Corrected(media_id=1024, root="films", path="a.mkv", by="a", at="")
    log = [*stored(lane.log), *stored([(lane.offset, lane.at, b"home", record)])]
    state = State()
    state.rules_version = 3
    assert folded(log, Fold(0, state=state))[-1].topic.name == "catalog.fs.raw.v1.dlq"


# -- by older rules, and over to these


def test_what_newer_analysis_finds_is_not_published_by_older_rules() -> None:
    shelf = Shelf(by_rules(3))
    shelf.put("Alien (1979).mkv", "Alien (1979).de.srt")
    shelf.read("Alien (1979).mkv", frame_rate=25.0, hdr_kind="HLG", width=5, tags=Tags(title="x", show="y"))
    assert shelf.published("Alien (1979).mkv")["analysis"]["found"] == {"width": 5, "tags": {"title": "x"}}
    assert not {"belongs_to", "subtitle_languages"} & shelf.published("Alien (1979).de.srt").keys()


def test_the_adoption_gives_what_belongs_to_what_and_a_dry_run_says_so_before() -> None:
    shelf = Shelf(by_rules(3))
    shelf.put("Alien (1979).mkv", "Alien (1979).de.srt", "Alien (1979).jpg", "x/Heat (1995).mkv")
    before = state_bytes.encode(shelf.lane.fold.state)
    changed = {after.path for _, after in shelf.lane.fold.read_by(RULES[4])}
    assert changed == {"Alien (1979).mkv", "Alien (1979).de.srt", "Alien (1979).jpg"}
    assert state_bytes.encode(shelf.lane.fold.state) == before
    shelf.lane.put(raw.RulesAdopted(version=4, program="x", by="a", at=""))
    assert shelf.published("Alien (1979).de.srt")["belongs_to"] == shelf.id("Alien (1979).mkv")
    assert shelf.published("Alien (1979).mkv")["subtitle_languages"] == ["de"]
    assert [after.path for _, after in shelf.lane.fold.read_by(RULES[4])] == []


# -- in any history

NAMES = [
    "A (2001).mkv", "A (2001).en.srt", "A (2001)-poster.jpg", "A (2001).jpg", "poster.jpg", "movie.nfo", "A (2001).nfo",
    "B (2002).mkv", "B (2002).de.forced.srt", "1 One.mp3", "2 Two.mp3", "cover.jpg", "L S01E01.mkv", "Subs/en.srt",
    "Season 1/L S01E02.mkv", "Season 2/L S02E01.mkv",
    "A (2001).mp4", "C (2003) cd1.avi", "C (2003) cd2.avi", "trailer.mkv",
]  # fmt: skip
FOLDERS = ["", "d/", "d/", "d/", "e/", "d/f/"]
DEED_NAMES = ["put"] * 5 + ["read"] * 4 + ["take", "take", "move", "move", "tree", "wait", "wait"]


def history(seed: int) -> list[tuple[str, str, str]]:
    """What people do, and where."""
    chance = random.Random(seed)
    names = chance.sample(NAMES, chance.randrange(3, 8))

    def place() -> str:
        return chance.choice(FOLDERS) + chance.choice(names)

    deeds = []
    for _ in range(chance.randrange(5, 40)):
        deed = chance.choice(DEED_NAMES)
        if deed == "tree":
            deeds.append((deed, chance.choice(["d", "e", "d/f"]), chance.choice(["g", "e", "d/h"])))
        else:
            deeds.append((deed, place(), place()))
    return deeds


def play(lane: Lane, deeds: list[tuple[str, str, str]]) -> Shelf:
    """Do all of it, in whatever order it makes sense."""
    shelf = Shelf(lane)
    for number, (deed, path, other) in enumerate(deeds):
        known = lane.fold.state.known.get("films", {})
        match deed:
            case "put":
                lane.see(path, a_file(number + 1_000))
            case "take":
                lane.see(path, None)
            case "move" if path in known and path != other:
                entry = known[path]
                lane.move(path, other, FileState("file", entry.size, entry.mtime_ns, entry.dev, entry.inode))
            case "tree" if path in known and not other.startswith(path):
                entry = known[path]
                lane.move(path, other, FileState("dir", entry.size, entry.mtime_ns, entry.dev, entry.inode))
            case "read" if path in known and known[path].job is not None:
                shelf.read(path, cover=f"{number:032x}")
            case "wait":
                lane.quiet()
            case _:
                continue
        lane.later(number * 37 % 3_000)
    lane.quiet()
    return shelf


def item_of(fold: Fold, entry: Entry) -> MediaItem:
    """The item as it would be published now."""
    return fold._catalogue.item(entry)


@pytest.mark.parametrize("seed", range(400))
def test_after_any_history_readers_know_what_lies_beside_what(seed: int) -> None:
    lane = by_rules(4)
    shelf = play(lane, history(seed))
    fold, words = lane.fold, RULES_4.beside
    assert words is not None
    anew = Neighbours(fold.state, RULES_4, words)
    states = shelf.states()
    for entry in fold.state.known.get("films", {}).values():
        if entry.media_id:
            links = anew.links_of(entry)
            assert entry.links == links
            published = states[entry.media_id]
            assert published.get("belongs_to") == (None if links is None else links.belongs_to)
            assert published.get("subtitle_languages", []) == list(item_of(fold, entry).subtitle_languages)
            assert published.get("cover_image") == item_of(fold, entry).cover_image
    again = Fold(0, state=state_bytes.decode(state_bytes.encode(fold.state)))
    assert state_bytes.encode(again.state) == state_bytes.encode(fold.state)


@pytest.mark.parametrize("seed", range(60))
def test_how_many_directories_are_followed_and_where_a_snapshot_was_taken_decides_nothing(seed: int) -> None:
    lane = by_rules(4)
    play(lane, history(seed))
    log = stored(lane.log)
    cut = seed % (len(log) + 1)
    state = State()
    state.rules_version = 4
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(neighbours, "DIRECTORIES", 1)
        first = Fold(0, state=state)
        outputs = folded(log[:cut], first)
        second = Fold(0, state=state_bytes.decode(state_bytes.encode(first.state)))
        outputs += folded(log[cut:], second)
    assert digest(outputs) == digest(lane.outputs)


def test_histories_are_about_something() -> None:
    linked = 0
    for seed in range(80):
        lane = by_rules(4)
        shelf = play(lane, history(seed))
        linked += sum("belongs_to" in item for item in shelf.states().values())
    assert linked >= 40


def test_older_rules_have_no_neighbours() -> None:
    assert RULES_3.beside is None
