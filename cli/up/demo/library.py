"""The demo library: some thirty made-up works as real files, in two storage roots of one library.

Created once. The marker is written last and is outside the roots: if creation is killed it starts over at the next start,
and a complete library is never touched again, whatever the user does to it. All names and works are invented.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from cli.up.demo import media
from cli.up.state import DEMO_MARKER, DEMO_ROOTS

FILMS = (
    ("The Long Orbit (2019)", "The.Long.Orbit.2019.1080p.BluRay.x264.mkv", "poster.jpg"),
    ("Salt Harbour (2021)", "Salt.Harbour.2021.2160p.WEB-DL.H264.mkv", "poster.jpg"),
    ("Nine Quiet Rooms (2016)", "Nine Quiet Rooms (2016) [1080p].mp4", "poster.png"),
    ("La Dernière Écluse (1998)", "La Dernière Écluse (1998) [720p].mkv", "poster.webp"),
)
EPISODES = (
    "Northern.Signal.S01E01.The.Mast.1080p.WEB.H264.mkv",
    "Northern.Signal.S01E02.Static.1080p.WEB.H264.mkv",
    "Northern.Signal.S01E03.Low.Tide.1080p.WEB.H264.mkv",
)
SPEECH = ("The mast is silent again.", "Since when?", "Since the tide turned.")
ALBUMS = (
    (
        "Mira Castellan",
        "Glass Rivers",
        2018,
        "Folk",
        ".flac",
        ("Glass Rivers", "Ferryman", "Slow Light", "Delta"),
    ),
    ("The Tin Kites", "Aerial View", 2009, "Indie Rock", ".mp3", ("Lift", "Power Lines", "Aerial View", "Down")),
    ("Okonjo Trio", "Blue Hour Sessions", 2022, "Jazz", ".ogg", ("Blue Hour", "Second Street")),
)
"""Artist, album, year, genre, suffix, titles."""


def make(folder: Path) -> None:
    """Create the library's roots in a folder, overwriting what an interrupted creation left. Raises OSError."""
    for root in DEMO_ROOTS:
        if (folder / root).exists():
            shutil.rmtree(folder / root)
        (folder / root).mkdir(parents=True)
    _films(folder / "movies")
    _series(folder / "movies" / "Series" / "Northern Signal" / "Season 01")
    _comics(folder / "movies" / "Comics")
    _music(folder / "music")
    _books(folder / "music" / "Songbooks")
    os.sync()
    (folder / DEMO_MARKER).touch()


def _films(root: Path) -> None:
    for seed, (title, name, poster) in enumerate(FILMS):
        folder = _folder(root / title)
        media.video(folder / name, seed)
        media.picture(folder / poster, seed, title)
    media.subtitles(root / FILMS[0][0] / f"{Path(FILMS[0][1]).stem}.en.srt", ("One more orbit.", "Then home."))


def _series(folder: Path) -> None:
    _folder(folder)
    for seed, name in enumerate(EPISODES, start=len(FILMS)):
        media.video(folder / name, seed, seconds=1.5)
    media.subtitles(folder / f"{Path(EPISODES[0]).stem}.en.srt", SPEECH)
    media.picture(folder / "season01.jpg", 41, "Northern Signal")


def _comics(folder: Path) -> None:
    media.comic(_folder(folder) / "Kestrel & Vane 001 (2017).cbz", 60, "Kestrel & Vane")


def _music(root: Path) -> None:
    seed = 70
    for artist, album, year, genre, suffix, titles in ALBUMS:
        folder = _folder(root / artist / f"{album} ({year})")
        media.picture(folder / "cover.jpg", seed, album, (500, 500))
        for number, title in enumerate(titles, start=1):
            seed += 1
            tags = {"artist": artist, "album": album, "title": title, "genre": genre, "date": str(year)}
            media.audio(folder / f"{number:02} {title}{suffix}", seed, tags | {"track": str(number)})
    talk = {"artist": "Mira Castellan", "title": "Interview at the Mill", "album": "Extras"}
    media.audio(root / "Mira Castellan" / "Interview at the Mill.m4a", seed + 1, talk)


def _books(folder: Path) -> None:
    chapters = ("Foreword", "Songs of the Upper River", "Songs of the Delta")
    media.book(_folder(folder) / "Mira Castellan - River Songs.epub", "River Songs", "Mira Castellan", chapters)


def _folder(path: Path) -> Path:
    path.mkdir(parents=True, exist_ok=True)
    return path
