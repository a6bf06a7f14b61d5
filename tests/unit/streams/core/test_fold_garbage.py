"""Whatever well-typed records come in whatever order, the fold takes them without raising and stays sound."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas import raw
from schemas.analysis import Job
from schemas.codec import Codec, encode
from schemas.headers import raw_headers
from schemas.raw import FileState, RawRecord
from schemas.topics import ANALYSIS_JOBS
from streams.core.fold import Fold
from tests.support.fold_truth import check
from tests.support.lane import IDENTITY, START

_job: Codec[Job] = Codec(Job)

paths = st.sampled_from(["a", "b.mkv", "d", "d/a", "d/b.mkv", "d/e/a", "e/a", "e/b.mkv", "x.mp3", "e"])
roots = st.sampled_from(["films", "music", "nobody"])
epochs = st.sampled_from(["e1", "e2"])
origins = st.sampled_from(["live", "scan", "reconcile", "baseline"])
numbers = st.sampled_from([1, 2, 3, -1])
files = st.builds(
    FileState,
    st.sampled_from(["file", "file", "file", "dir", "symlink", "other"]),
    st.sampled_from([0, 10, 5_000, 5_001, -7, 2**62]),
    st.sampled_from([0, 1, -1, 2**62]),
    st.sampled_from([1, 2]),
    st.integers(1, 4),
    st.just(1),
)
head = {"root": roots, "epoch": epochs, "seq": st.just(0), "observed_at": st.just("")}
scanned = {"scan": st.none() | numbers, "origin": origins}
subtrees = st.sampled_from(["", "", "d", "e"])
prints = st.sampled_from(["p1", "p2"])
windows = st.sampled_from([0, 50, 2_000, -3])

records: st.SearchStrategy[RawRecord] = st.one_of(
    st.builds(raw.Observed, path=paths, file=st.none() | files, **scanned, **head),
    st.builds(raw.Observed, path=paths, file=st.none() | files, **scanned, **head),
    st.builds(raw.Moved, path=paths, from_path=paths, file=files, **scanned, **head),
    st.builds(raw.Fingerprint, path=paths, size=st.sampled_from([10, 5_000]), mtime_ns=st.just(0),
              inode=st.integers(1, 4), xxh3=prints, **head),
    st.builds(raw.RootDeclared, library=st.sampled_from(["home", "home", "home", "away"]), site=st.just("main"),
              protocol=st.just("local"), location=st.just("/m"), identity=st.none() | st.just(IDENTITY),
              debounce_ms=windows, max_hold_ms=windows, rename_window_ms=windows, **head),
    st.builds(raw.RootLost, cause=st.just("gone"), **head),
    st.builds(raw.RootBack, cause=st.just("there"), **head),
    st.builds(raw.GapOpen, cause=st.just("overflow"), subtree=subtrees, **head),
    st.builds(raw.GapClosed, cause=st.just("overflow"), subtree=subtrees, counts=st.just(raw.Counts()), **head),
    st.builds(raw.ScanStarted, scan=numbers, origin=origins, cause=st.just("x"), subtree=subtrees, **head),
    st.builds(raw.ScanFinished, scan=numbers, origin=origins, cause=st.just("x"), subtree=subtrees,
              total=st.integers(0, 3), counts=st.just(raw.Counts()), **head),
    st.builds(raw.Result, job=st.just("?"), media_id=st.just(0), root=roots, size=st.just(5_000),
              mtime_ns=st.just(0), inode=st.integers(1, 4), status=st.sampled_from(["done", "failed"])),
    st.just(raw.Tick()),
)  # fmt: skip
gaps = st.sampled_from([0, 0, 0, 40, 2_000, 31_000, -5_000, 86_400_000])
garbage = st.lists(st.tuples(records, gaps, st.sampled_from([1, 1, 1, 1, 0, 3])), max_size=60)


@settings(max_examples=250, deadline=None)
@given(garbage)
def test_nothing_well_typed_breaks_it(log: list[tuple[RawRecord, int, int]]) -> None:
    fold, at, jobs = Fold(3), START, ["none"]
    seqs: dict[tuple[str, str], int] = {}
    beginning: list[RawRecord] = [
        raw.RootDeclared(
            root=root, epoch="e1", seq=0, observed_at="", library="home", site="main", protocol="local",
            location="/m", identity=IDENTITY,
        )
        for root in ("films", "music")
    ]  # fmt: skip
    for offset, (record, gap, step) in enumerate([(r, 0, 1) for r in beginning] + log):
        at += gap
        if isinstance(record, raw.ProducerRecord):
            key = (record.root, record.epoch)
            seqs[key] = seqs.get(key, 0) + step
            record = _with(record, seq=seqs[key])
        elif isinstance(record, raw.Result):
            record = _with(record, job=jobs[-1 - offset % min(len(jobs), 3)])
        value = encode(record)
        for output in fold.apply_bytes(offset, at, b"home", value, raw_headers("any")):
            if output.topic is ANALYSIS_JOBS:
                jobs.append(_job.decode(output.value).job)
        check(fold)


def _with(record: RawRecord, **fields: object) -> RawRecord:
    import msgspec

    changed: RawRecord = msgspec.structs.replace(record, **fields)
    return changed
