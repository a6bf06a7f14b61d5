"""What must be true inside a fold after any record: its derived tables and tallies agree with what they count,
and every key names something.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from streams.core.fold import Fold
from streams.core.state import Entry, FileIndex, Hold, Pending, State, TallyId


def check(fold: Fold) -> None:
    """Every invariant. Takes time by the size of the state."""
    state = fold.state
    _known(state)
    _pending(state)
    _held(state)
    _trees(state)
    _jobs(state)
    _tallies(state)
    _requests(fold)


def leftovers(fold: Fold) -> dict[str, int]:
    """What is still kept, by name; empty for a fold that has seen everything go and has been quiet since."""
    state = fold.state
    sizes = {
        "known": fold.known_paths + sum(map(len, state.directories.values())),
        "by_inode": len(state.by_inode),
        "by_fingerprint": len(state.by_fingerprint),
        "pending": len(state.pending) + len(state.pending_by_inode),
        "held": len(state.gone) + len(state.new),
        "moved_trees": len(state.trees) + len(state.trees_from) + len(state.above_trees),
        "held_by_inode": len(state.new_by_inode),
        "held_by_fingerprint": len(state.new_by_fingerprint),
        "jobs": len(state.jobs),
        "tied": len(state.movers),
        "scans": sum(len(root.scans) for root in state.roots.values()),
        "batches": sum(root.batch is not None for root in state.roots.values()),
        "baselines": sum(root.baseline is not None for root in state.roots.values()),
        "tallies": len(state.tallies),
        "requests": len(state.requests) + len(state.by_age or ()),
        "due": 0 if fold.next_due is None else 1,
        "heap": len(state.deadlines),
    }
    return {name: size for name, size in sizes.items() if size}


def entries(state: State) -> list[Entry]:
    """All known entries."""
    return [entry for paths in state.known.values() for entry in paths.values()]


def _known(state: State) -> None:
    for root, paths in state.known.items():
        for path, entry in paths.items():
            assert (entry.root, entry.path) == (root, path)
            assert (entry.media_id != 0) == (entry.type == "file")
        linked = {path: above for above, paths_ in state.directories.get(root, {}).items() for path in paths_}
        assert all(path.rpartition("/")[0] == above for path, above in linked.items())
        assert set(paths) <= set(linked)
        assert all(path in paths or path in state.directories[root] for path in linked), "a path where nothing is"
        assert all(state.directories.get(root, {}).values()), "a directory with nothing in it"
    files = [entry for entry in entries(state) if entry.type == "file"]
    _same(state.by_inode, ((entry.inode, entry) for entry in files))
    _same(state.by_fingerprint, ((e.fingerprint, e) for e in files if e.fingerprint is not None))
    assert len({entry.media_id for entry in files}) == len(files), "one item at two paths"


def _pending(state: State) -> None:
    known = {entry.place for entry in entries(state)}
    for place, pending in state.pending.items():
        assert pending.place == place
        assert pending.deadline is not None
        assert pending.first_at <= pending.last_at or pending.still_changing
        assert pending in state.deadlines
        assert pending.carries is None or pending.carries in known
    files = [(p, p.state.inode) for p in state.pending.values() if p.state is not None and p.state.type == "file"]
    _same(state.pending_by_inode, ((inode, pending) for pending, inode in files))
    ties = {pending.carries: place for place, pending in state.pending.items() if pending.carries is not None}
    assert state.movers == ties


def _held(state: State) -> None:
    known = {entry.place for entry in entries(state)}
    for place, hold in state.gone.items():
        assert hold.is_gone
        assert hold.place == place
        assert place in known
    for place, hold in state.new.items():
        assert not hold.is_gone
        assert hold.place == place
        assert place not in known, "a creation is held where something is known"
    for hold in state.holds:
        scan = None if hold.seen.tally is None else state.tallies[hold.seen.tally]
        waits_for_scan = scan is not None and not scan.finished
        assert waits_for_scan or hold in state.deadlines, "a half that nothing will ever decide"
    new: list[tuple[Hold, int]] = [(h, h.seen.state.inode) for h in state.new.values() if h.seen.state]
    _same(state.new_by_inode, ((inode, hold) for hold, inode in new))
    _same(state.new_by_fingerprint, ((h.fingerprint, h) for h, _ in new if h.fingerprint is not None))


def _trees(state: State) -> None:
    for place, tree in state.trees.items():
        assert tree.place == place
        assert tree in state.deadlines
    assert state.trees_from == {tree.published: place for place, tree in state.trees.items()}
    assert len(state.trees_from) == len(state.trees), "two directories that readers know at one place"
    assert state.above_trees == Counter(above for tree in state.trees.values() for above in tree.above)


def _jobs(state: State) -> None:
    for id_, job in state.jobs.items():
        assert job.id == id_
        assert state.known[job.place.root][job.place.path].job == id_
    assert sum(entry.job is not None for entry in entries(state)) == len(state.jobs)
    asked = [job.requested_at for job in state.jobs.values()]
    assert asked == sorted(asked)


def _tallies(state: State) -> None:
    seen = [pending.tally for pending in state.pending.values()] + [hold.seen.tally for hold in state.holds]
    seen += [tree.seen.tally for tree in state.trees.values()]
    outstanding = Counter(tally for tally in seen if tally is not None)
    open_jobs = Counter(job.tally for job in state.jobs.values())
    held: set[TallyId] = {request.tally for request in state.requests.values()}
    for root in state.roots.values():
        held.update(root.scans.values())
        for number, id_ in root.scans.items():
            assert state.tallies[id_].number == number
            assert not state.tallies[id_].complete, "a scan that is complete is forgotten"
        assert root.baseline is None or root.baseline in root.scans.values()
        if root.batch is not None:
            held.add(root.batch)
            batch = state.tallies[root.batch]
            assert batch.open_jobs or batch.outstanding or batch in state.deadlines
    assert held == set(state.tallies), "a tally that nobody holds"
    assert {*outstanding, *open_jobs} <= held
    for id_, tally in state.tallies.items():
        assert tally.id == id_
        assert tally.outstanding == outstanding[id_]
        assert tally.open_jobs == open_jobs[id_]
        assert tally.processed >= tally.identified + tally.failed


def _same(index: FileIndex, expected: Iterable[tuple[object, Entry | Pending | Hold]]) -> None:
    found = Counter((key, id(value)) for key in index for value in index.all(key))
    assert found == Counter((key, id(value)) for key, value in expected)


def _requests(fold: Fold) -> None:
    state = fold.state
    for id_, request in state.requests.items():
        tally = state.tallies[request.tally]
        assert (request.id, tally.request, tally.root) == (id_, id_, request.root)
        assert not tally.complete, "it has ended"
    assert (state.by_age is None) >= (not state.requests)
    if state.by_age is not None:
        ages = [entry.media_id for entry in state.by_age]
        assert ages == sorted(ages)
        items = {entry.media_id for entry in entries(state) if entry.media_id}
        assert items == {
            entry.media_id for entry in state.by_age if state.known[entry.root].get(entry.path) is entry
        }
    asked = [job for job in state.jobs.values() if state.tallies[job.tally].request is not None]
    assert len(asked) <= fold.rules.request_window
