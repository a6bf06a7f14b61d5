"""What must be true inside a fold after any record: its indexes and accounts agree with what they account for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from streams.core.fold import Fold
from streams.core.known import Entry, Multi
from streams.core.renames import Hold
from streams.core.tally import Tally


def check(fold: Fold) -> None:
    """Every invariant. Takes time by the size of the state."""
    _known(fold)
    _pending(fold)
    _held(fold)
    _jobs(fold)
    _accounts(fold)


def leftovers(fold: Fold) -> dict[str, int]:
    """What is still kept, by name; empty for a fold that has seen everything go and has been quiet since."""
    sizes = {
        "known": len(fold._known),
        "by_inode": len(fold._known._by_inode),
        "by_fingerprint": len(fold._known._by_fingerprint),
        "pending": len(fold._settle),
        "held": len(fold._renames),
        "held_by_inode": len(fold._renames._new_by_inode),
        "held_by_fingerprint": len(fold._renames._new_by_fingerprint),
        "jobs": len(fold._catalogue._jobs),
        "tied": sum(entry.mover is not None for entry in entries(fold)),
        "scans": sum(len(root.scans) for root in fold._roots),
        "batches": sum(root.batch is not None for root in fold._roots),
        "baselines": sum(root.baseline is not None for root in fold._roots),
        "due": 0 if fold.next_due is None else 1,
        "heap": len(fold._deadlines._heap),
    }
    return {name: size for name, size in sizes.items() if size}


def entries(fold: Fold) -> list[Entry]:
    """All known entries."""
    return [entry for paths in fold._known._roots.values() for entry in paths.values()]


def _known(fold: Fold) -> None:
    known = fold._known
    for root, paths in known._roots.items():
        for path, entry in paths.items():
            assert (entry.root, entry.path) == (root, path)
            assert (entry.media_id != 0) == (entry.type == "file")
            assert entry.gone is None or fold._renames.gone_at(entry.place) is entry.gone
    files = [entry for entry in entries(fold) if entry.type == "file"]
    _same(known._by_inode, ((entry.inode, entry) for entry in files))
    _same(known._by_fingerprint, ((e.fingerprint, e) for e in files if e.fingerprint is not None))
    assert len({entry.media_id for entry in files}) == len(files), "one item at two paths"


def _pending(fold: Fold) -> None:
    for place, pending in fold._settle._pending.items():
        assert pending.place == place
        assert pending.deadline is not None
        assert pending.first_at <= pending.last_at or pending.still_changing
        assert _in_heap(fold, pending)
        if (carried := pending.carries) is not None:
            assert carried.mover is pending
            assert fold._known.get(carried.place) is carried
    for entry in entries(fold):
        assert entry.mover is None or entry.mover in [*fold._settle]


def _held(fold: Fold) -> None:
    renames = fold._renames
    for place, hold in renames._gone.items():
        assert hold.place == place
        assert hold.entry is not None
        assert hold.entry.gone is hold
        assert fold._known.get(place) is hold.entry
    for place, hold in renames._new.items():
        assert hold.place == place
        assert hold.entry is None
        assert fold._known.get(place) is None, "a creation is held where something is known"
    for hold in renames:
        assert hold.waits_for_scan or _in_heap(fold, hold), "a half that nothing will ever decide"
    new: list[tuple[Hold, int]] = [(h, h.seen.state.inode) for h in renames._new.values() if h.seen.state]
    _same(renames._new_by_inode, ((inode, hold) for hold, inode in new))
    _same(renames._new_by_fingerprint, ((h.fingerprint, h) for h, _ in new if h.fingerprint is not None))


def _jobs(fold: Fold) -> None:
    jobs = fold._catalogue._jobs
    for id_, job in jobs.items():
        assert job.entry.job == id_
        assert fold._known.get(job.entry.place) is job.entry
    assert sum(entry.job is not None for entry in entries(fold)) == len(jobs)
    asked = [job.asked_at for job in jobs.values()]
    assert asked == sorted(asked)


def _accounts(fold: Fold) -> None:
    outstanding: Counter[int] = Counter()
    open_jobs: Counter[int] = Counter()
    tallies: dict[int, Tally] = {}
    for owner in [*fold._settle, *fold._renames]:
        if owner.tally is not None:
            tallies[id(owner.tally.live)] = owner.tally.live
            outstanding[id(owner.tally.live)] += 1
    for job in fold._catalogue._jobs.values():
        tallies[id(job.tally.live)] = job.tally.live
        open_jobs[id(job.tally.live)] += 1
    for root in fold._roots:
        for number, tally in root.scans.items():
            assert tally.number == number
            assert tally.live is tally
            assert not tally.complete, "a scan that is complete is forgotten"
            tallies[id(tally)] = tally
        assert root.baseline is None or root.scans.get(root.baseline.number) is root.baseline
        if root.batch is not None:
            tallies[id(root.batch)] = root.batch
            assert root.batch.open_jobs or root.batch.outstanding or _in_heap(fold, root.batch)
    for key, tally in tallies.items():
        root = fold._roots.of(tally.root)
        assert root.batch is tally or root.scans.get(tally.number) is tally, "an account that nobody holds"
        assert tally.outstanding == outstanding[key]
        assert tally.open_jobs == open_jobs[key]
        assert tally.processed >= tally.identified + tally.failed


def _in_heap(fold: Fold, subject: object) -> bool:
    return any(s is subject and s.order == order for _at, order, s in fold._deadlines._heap)


def _same(index: Multi[Entry] | Multi[Hold], expected: Iterable[tuple[object, Entry | Hold]]) -> None:
    found = Counter((key, id(value)) for key in index for value in index.all(key))
    assert found == Counter((key, id(value)) for key, value in expected)
