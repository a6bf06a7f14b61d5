"""Neighbours: which picture, subtitle or NFO file belongs to which film, episode, album or book beside it, and what those
items have from it.

The result depends only on what is known, and not on the order of arrival: of several possible items the first one is taken
(the lowest media id). The links published last are kept with each item (`Entry.links`), so that differences can be found;
directories with changes since then are kept until they have been examined (`changed`).

A directory is read when something happens in it, and kept up to date from then on: DIRECTORIES of them, the last used.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator
from itertools import islice

from schemas.found import Found, MediaType
from schemas.paths import display
from streams.core.multi import Multi
from streams.core.naming import Named, PathNames, names_by
from streams.core.path_names.beside import Belonging, BesideNames, BesideWords
from streams.core.precedence import found_in
from streams.core.rules import Rules
from streams.core.state import BY_ID, Entry, Links, RootPath, State

DIRECTORIES = 1_024
SEASONS = 100
"""How many directories below that of a show are searched for its first episode."""
_OWNERS: frozenset[MediaType] = frozenset({"video", "audio", "book"})
_TITLED = frozenset({"movie", "tv_show", "music", "audiobook", "book", "comic"})
"""Categories to which a picture with the same bare name belongs; beside a camera's film such a picture is a photo."""
_ASIDE = frozenset({"trailer", "extra", "sample"})
NOTHING = Links()
_PARTS = "/"
"""In the set of changed stems, but not a stem: something that belongs to others has changed."""


class _Directory:
    """`owners`, `beside`: by stem; `general`: what belongs to all items there, by media id; `served`: these items, None
    if they are not known now; `crowds`: stems (None: all) of which there are too many, which has been published."""

    __slots__ = ("beside", "crowds", "general", "home", "owners", "served")

    def __init__(self, home: RootPath) -> None:
        self.home = home
        self.owners: Multi[Entry] = Multi()
        self.beside: Multi[Entry] = Multi()
        self.general: dict[int, Entry] = {}
        self.served: dict[int, Entry] | None = None
        self.crowds: set[str | None] = set()


class Neighbours:
    """The neighbours in a lane, by rules that have the words for it."""

    def __init__(self, state: State, rules: Rules, words: BesideWords) -> None:
        self._state = state
        names = names_by(rules)
        assert isinstance(names, PathNames)  # rules with words for this read whole paths
        self._names = names
        self._beside = BesideNames(words)
        self._directories: OrderedDict[RootPath, _Directory] = OrderedDict()
        self._changed: dict[RootPath, dict[str | None, bool]] = {}
        """By directory: the stems of which something has changed, None for what belongs to all; true: all served items
        must be examined."""

    # -- what changes ------------------------------------------------------------------------------------------

    def entered(self, entry: Entry) -> None:
        """A file has become known at its place."""
        belonging = self._belonging(entry)
        home = _home(entry, belonging)
        directory = self._directories.get(home)
        if directory is not None:
            self._put(directory, entry, belonging)
        self._touch(home, entry, belonging, served=False)

    def left(self, entry: Entry) -> None:
        """A file is about to leave its place."""
        belonging = self._belonging(entry)
        home = _home(entry, belonging)
        directory = self._directories.get(home)
        if directory is not None:
            self._drop(directory, entry, belonging)
        self._touch(home, entry, belonging, served=entry.links is not None and entry.links.belongs_to is not None)

    def altered(self, entry: Entry) -> None:
        """What was found in a file has changed."""
        belonging = self._belonging(entry)
        if belonging is not None:
            self._touch(_home(entry, belonging), entry, belonging, served=True)

    def changed(self) -> Iterator[Entry]:
        """The items whose links may have changed, in the order of the changes."""
        while self._changed:
            home = next(iter(self._changed))
            stems, directory = self._changed.pop(home), self._directory(home)
            if not (directory.beside or directory.general or _PARTS in stems):
                continue
            for stem, served in stems.items():
                if stem is not None:
                    parts = self._in_question(directory, stem, directory.beside.count(stem))
                    yield from _by_id(directory.owners.all(stem)) if parts else ()
                    yield from _by_id(directory.beside.all(stem)) if parts else ()
                elif served or (directory.general and self._in_question(directory, None, len(directory.general))):
                    yield from _by_id(islice(directory.owners.each(), self._beside.most + 1))
                    yield from _by_id(directory.general.values())

    def _in_question(self, directory: _Directory, stem: str | None, parts: int) -> bool:
        """Files that are too many to belong to anything are examined only once."""
        if parts <= self._beside.most:
            directory.crowds.discard(stem)
            return True
        is_new = stem not in directory.crowds
        directory.crowds.add(stem)
        return is_new

    def _touch(self, home: RootPath, entry: Entry, belonging: Belonging | None, *, served: bool) -> None:
        stems: tuple[str | None, ...]
        if belonging is None:
            if self._names.media_type(entry.path) not in _OWNERS:
                return
            stems = (_stem(entry), None)
            served = False
        else:
            stems = (*belonging.stems, None, _PARTS) if belonging.is_general else (*belonging.stems, _PARTS)
        changed = self._changed.setdefault(home, {})
        for stem in stems:
            changed[stem] = changed.get(stem, False) or served
        if belonging is None and self._names.is_season(home.path):
            show = RootPath(home.root, home.path.rpartition("/")[0])
            self._changed.setdefault(show, {}).setdefault(None, False)
            if (directory := self._directories.get(show)) is not None:
                directory.served = None

    # -- results -----------------------------------------------------------------------------------------------

    def links_of(self, entry: Entry) -> Links | None:
        """The links of an item; None if it has none."""
        belonging = self._belonging(entry)
        if belonging is None and self._names.media_type(entry.path) not in _OWNERS:
            return None
        directory = self._directory(_home(entry, belonging))
        if belonging is not None:
            owner = self._owner(directory, belonging)
            links = Links(None if owner is None else owner.media_id)
        elif directory.general or directory.beside:
            links = self._had(directory, entry)
        else:
            return None
        return None if links == NOTHING else links

    def _owner(self, directory: _Directory, belonging: Belonging) -> Entry | None:
        for stem in belonging.stems:
            if directory.beside.count(stem) > self._beside.most:
                continue
            for owner in _by_id(directory.owners.all(stem)):
                if not belonging.is_bare or self._read(owner).category in _TITLED:
                    return owner
        return next(iter(self._served(directory).values()), None) if belonging.is_general else None

    def _served(self, directory: _Directory) -> dict[int, Entry]:
        """The items that a directory's general files (its poster, for example) belong to, the first item first: the
        parts and versions of one film, the episodes of a show, the songs of an album, the formats of one book; only the
        first episode of a show whose seasons have their own directories; none if the directory has unrelated items."""
        if directory.served is None:
            directory.served = {owner.media_id: owner for owner in self._alike(directory)}
        return directory.served

    def _first_episode(self, home: RootPath) -> list[Entry]:
        """The first episode of a show whose directory contains only the directories of its seasons."""
        below = self._state.directories.get(home.root, {})
        seasons = (path for path in below.get(home.path, ()) if path in below and self._names.is_season(path))
        found = [
            owner
            for season in islice(seasons, SEASONS)
            for owner in self._directory(RootPath(home.root, season)).owners.each()
            if self._read(owner).category == "tv_show"
        ]
        return _by_id(found)[:1]

    def _alike(self, directory: _Directory) -> list[Entry]:
        most = self._beside.most
        if not directory.owners:
            return self._first_episode(directory.home) if directory.general else []
        owners = _by_id(islice(directory.owners.each(), most + 1))
        if len(owners) > most or len(directory.general) > most:
            return []
        read = [(owner, self._read(owner)) for owner in owners]
        read = [(owner, named) for owner, named in read if named.category not in _ASIDE]
        films = [(owner, named) for owner, named in read if named.category in ("movie", "tv_show")]
        songs = [(owner, named) for owner, named in read if named.media_type == "audio"]
        chosen = films or songs or read
        return [owner for owner, _ in chosen] if len({_group(named) for _, named in chosen}) == 1 else []

    def _had(self, directory: _Directory, owner: Entry) -> Links:
        """What an owner has from the files that belong to it."""
        category = self._read(owner).category
        own = [entry for entry in self._few(directory, _stem(owner)) if self._owner_of(directory, entry) is owner]
        mine = [(False, self._surely(entry), entry) for entry in _by_id(own)]
        if directory.general and category != "tv_show" and owner.media_id in self._served(directory):
            first = next(iter(self._served(directory).values()))
            shared = [
                e for e in directory.general.values() if self._owner_of(directory, e) is first and e not in own
            ]
            mine += [(True, self._surely(entry), entry) for entry in _by_id(shared)]
        covers = [
            (is_general, belonging.rank, entry.media_id, cover)
            for is_general, belonging, entry in mine
            if belonging.role == "cover" and (cover := _found(entry).cover) is not None
        ]
        facts = [
            found for is_general, belonging, entry in mine
            if belonging.role == "facts" and (not is_general or category == "movie")
            and (found := _found(entry)) != Found()
        ]  # fmt: skip
        tongues = {
            belonging.subtitle.language or "und" for _, belonging, _ in mine if belonging.subtitle is not None
        }
        return Links(None, min(covers)[3] if covers else None, tuple(sorted(tongues)), facts[0] if facts else None)

    def _few(self, directory: _Directory, stem: str) -> Iterable[Entry]:
        return directory.beside.all(stem) if directory.beside.count(stem) <= self._beside.most else ()

    def _owner_of(self, directory: _Directory, entry: Entry) -> Entry | None:
        return self._owner(directory, self._surely(entry))

    # -- inside ------------------------------------------------------------------------------------------------

    def _read(self, entry: Entry) -> Named:
        return self._names.read(entry.path)

    def _belonging(self, entry: Entry) -> Belonging | None:
        return self._beside.read(entry.path, self._names.media_type(entry.path))

    def _surely(self, entry: Entry) -> Belonging:
        belonging = self._belonging(entry)
        assert belonging is not None
        return belonging

    def _put(self, directory: _Directory, entry: Entry, belonging: Belonging | None) -> None:
        directory.served = None
        if belonging is None:
            if self._names.media_type(entry.path) in _OWNERS:
                directory.owners.put(_stem(entry), entry)
            return
        for stem in belonging.stems:
            directory.beside.put(stem, entry)
        if belonging.is_general:
            directory.general[entry.media_id] = entry

    def _drop(self, directory: _Directory, entry: Entry, belonging: Belonging | None) -> None:
        directory.served = None
        if belonging is None:
            directory.owners.drop(_stem(entry), entry)
            return
        for stem in belonging.stems:
            directory.beside.drop(stem, entry)
        directory.general.pop(entry.media_id, None)

    def _directory(self, home: RootPath) -> _Directory:
        there = self._directories.get(home)
        if there is None:
            there = self._directories[home] = self._looked_at(home)
            if len(self._directories) > DIRECTORIES:
                self._directories.popitem(last=False)
        else:
            self._directories.move_to_end(home)
        return there

    def _looked_at(self, home: RootPath) -> _Directory:
        directory = _Directory(home)
        known = self._state.known.get(home.root, {})
        below = self._state.directories.get(home.root, {})
        for path in below.get(home.path, ()):
            inside = below.get(path, ()) if self._beside.belongs_to_parent(path) else ()
            for one in (path, *inside):
                entry = known.get(one)
                if entry is None or not entry.media_id:
                    continue
                belonging = self._belonging(entry)
                if _home(entry, belonging) == home:
                    self._put(directory, entry, belonging)
        return directory


def _by_id(entries: Iterable[Entry]) -> list[Entry]:
    """The first item first."""
    return sorted(entries, key=BY_ID)


def _home(entry: Entry, belonging: Belonging | None) -> RootPath:
    """The directory in which the file is counted."""
    path = entry.path
    for _ in range(1 if belonging is None else 1 + belonging.depth):
        path = path.rpartition("/")[0]
    return RootPath(entry.root, path)


def _stem(entry: Entry) -> str:
    return display(entry.name).rpartition(".")[0].casefold()


def _found(entry: Entry) -> Found:
    return found_in(entry.analysis)


def _group(named: Named) -> tuple[object, ...]:
    """Items with an equal group may be served together."""
    if named.category == "tv_show" or named.media_type == "audio":
        return (named.category,)
    return named.category, named.year, named.title.partition(" – ")[0]
