"""A lane of the change log as a test writes it: records with dense seq, append times by hand, outputs decoded."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import msgspec

from schemas import raw
from schemas.headers import find
from schemas.raw import FileState
from streams.core import intake
from streams.core.emit import Output
from streams.core.fold import Fold

START = 1_700_000_000_000
IDENTITY = raw.RootIdentity(dev=1, inode=2)


def a_file(inode: int, size: int = 1000, mtime_ns: int = 1, **more: object) -> FileState:
    """A regular file."""
    return msgspec.structs.replace(FileState("file", size, mtime_ns, 1, inode), **more)


def a_dir(inode: int) -> FileState:
    """A directory."""
    return FileState("dir", 4096, 1, 1, inode, 2)


@dataclass
class DecodedOutput:
    """One decoded output."""

    topic: str
    value: dict[str, object] | None
    n: int | None
    id: str

    def __getitem__(self, name: str) -> object:
        assert self.value is not None
        return self.value[name]


def decoded(outputs: Iterable[Output]) -> list[DecodedOutput]:
    """Outputs as a reader sees them."""
    found = []
    for output in outputs:
        value = None if output.value is None else msgspec.json.decode(output.value)
        n = find(output.headers, "x-n")
        id_ = find(output.headers, "ce_id") or b""
        found.append(DecodedOutput(output.topic.name, value, None if n is None else int(n), id_.decode()))
    return found


@dataclass
class Lane:
    """Writes records into a fold and keeps its outputs."""

    fold: Fold = field(default_factory=lambda: Fold(0))
    library: str = "home"
    offset: int = 0
    at: int = START
    log: list[tuple[int, int, bytes, raw.RawRecord]] = field(default_factory=list)
    outputs: list[Output] = field(default_factory=list)
    seqs: dict[tuple[str, str], int] = field(default_factory=dict)
    epoch: str = "e1"

    def put(self, record: raw.RawRecord) -> list[DecodedOutput]:
        """Append one record at the present time."""
        key = self.library.encode()
        self.log.append((self.offset, self.at, key, record))
        outputs = self.fold.apply(self.offset, self.at, key, intake.decoded(record))
        self.offset += 1
        self.outputs += outputs
        return decoded(outputs)

    def head(self, root: str) -> dict[str, object]:
        """The fields common to a producer's records, with the next seq."""
        seq = self.seqs[root, self.epoch] = self.seqs.get((root, self.epoch), 0) + 1
        return {"root": root, "epoch": self.epoch, "seq": seq, "observed_at": "2026-01-01T00:00:00.000Z"}

    def make(self, type_: type, root: str, **fields: object) -> list[DecodedOutput]:
        """Append a producer's record."""
        record: raw.RawRecord = type_(**self.head(root), **fields)
        return self.put(record)

    def declare(self, root: str = "films", **fields: object) -> list[DecodedOutput]:
        """Declare a root."""
        settings: dict[str, object] = {
            "library": self.library, "site": "main", "protocol": "local", "location": "/m", "identity": IDENTITY,
        }  # fmt: skip
        return self.make(raw.RootDeclared, root, **(settings | fields))

    def see(self, path: str, file: FileState | None, root: str = "films", **fields: object) -> list[DecodedOutput]:
        """An observation."""
        return self.make(raw.Observed, root, **({"path": path, "file": file, "origin": "live"} | fields))

    def move(
        self, source: str, path: str, file: FileState, root: str = "films", **more: object
    ) -> list[DecodedOutput]:
        """A move tied by the kernel."""
        fields = {"path": path, "from_path": source, "file": file, "origin": "live"} | more
        return self.make(raw.Moved, root, **fields)

    def finger(
        self, path: str, file: FileState, xxh3: str, root: str = "films", md5: str | None = None
    ) -> list[DecodedOutput]:
        """A fingerprint."""
        return self.make(
            raw.Fingerprint, root, path=path, size=file.size, mtime_ns=file.mtime_ns, inode=file.inode, xxh3=xxh3,
            md5=md5,
        )  # fmt: skip

    def scan(
        self, number: int, origin: str = "scan", root: str = "films", **fields: object
    ) -> list[DecodedOutput]:
        """A scan starts."""
        return self.make(raw.ScanStarted, root, scan=number, origin=origin, cause="start", **fields)

    def scanned(
        self, number: int, total: int, origin: str = "scan", root: str = "films", **fields: object
    ) -> list[DecodedOutput]:
        """A scan finishes."""
        return self.make(
            raw.ScanFinished,
            root,
            scan=number,
            origin=origin,
            cause="start",
            total=total,
            counts=raw.Counts(),
            **fields,
        )

    def later(self, ms: int) -> list[DecodedOutput]:
        """Time passes: a tick is appended `ms` later."""
        self.at += ms
        return self.put(raw.Tick())

    def quiet(self) -> list[DecodedOutput]:
        """Ticks until nothing is due within an hour."""
        outputs: list[DecodedOutput] = []
        while (due := self.fold.next_due) is not None and due - self.fold.now < 3_600_000:
            outputs += self.later(max(due - self.fold.now, 1))
        return outputs


def kinds(outputs: Iterable[DecodedOutput]) -> list[str]:
    """Outputs in short: `created a.mkv`, `media created`, `job`, `complete`."""
    found = []
    for one in outputs:
        if one.topic == "catalog.fs.changes.v1":
            found.append(f"{one['kind']} {one.value.get('path', one['root'])}" if one.value else "")
        elif one.topic == "catalog.media.updates.v1":
            found.append(f"media {one['action']}")
        elif one.topic == "catalog.analysis.jobs.v1":
            found.append("job")
        elif one.topic == "catalog.analysis.updates.v1":
            found.append("complete")
    return found
