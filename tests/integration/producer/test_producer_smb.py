"""A root on a real Samba server: what is found, how soon, and that no fault of a share is taken for a deletion."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from smbprotocol.exceptions import DiskFull

from producer.backends.smb.backend import SmbBackend
from producer.errors import RootFault
from schemas import raw
from tests.support.producer_root import tree_of
from tests.support.samba import PASSWORD, Client, Samba, far_samba, own_samba, samba
from tests.support.share_root import ShareRoot, listed

__all__ = ["far_samba", "own_samba", "samba"]

FILES = int(os.environ.get("SHARE_FILES", "4000"))
"""In one directory; 100000 is the long form."""

NOTICED_SECONDS = 15.0
HEALED_SECONDS = 75.0


def filled(disk: Path, directories: int = 4, files: int = 10) -> None:
    """Some files on the server."""
    for directory in range(directories):
        (disk / f"Show {directory}").mkdir(parents=True)
        for number in range(files):
            (disk / f"Show {directory}" / f"{number}.mkv").write_bytes(f"{directory} {number}".encode() * 50)


@contextmanager
def watched(server: Samba, state: Path, folder: str) -> Iterator[ShareRoot]:
    """A root with forty files, its baseline recorded."""
    (server.served["media"] / folder).mkdir()
    with ShareRoot(server, state, server.share(folder)) as root:
        filled(root.disk)
        root.until_converged(20)
        root.new_lines()
        yield root


@pytest.fixture
def root(samba: Samba, tmp_path: Path) -> Iterator[ShareRoot]:
    """One on the module's server."""
    with watched(samba, tmp_path, tmp_path.name) as root:
        yield root


@pytest.fixture
def alone(own_samba: Samba, tmp_path: Path) -> Iterator[ShareRoot]:
    """One on a server of its own."""
    with watched(own_samba, tmp_path, "films") as root:
        yield root


@pytest.fixture
def afar(far_samba: Samba, tmp_path: Path) -> Iterator[ShareRoot]:
    """One behind a network that can be cut."""
    with watched(far_samba, tmp_path, "films") as root:
        yield root


# -- what is found ---------------------------------------------------------------------------------------------


def test_what_a_client_does_is_found_at_once(root: ShareRoot) -> None:
    folder, client = root.share.folder, root.client
    actions: list[Callable[[], None]] = [
        lambda: client.write(f"{folder}/new.mkv", b"content"),
        lambda: client.rename(f"{folder}/new.mkv", f"{folder}/Show 0/new.mkv"),
        lambda: client.rename(f"{folder}/Show 1", f"{folder}/Season 1"),
        lambda: client.remove(f"{folder}/Show 2/1.mkv"),
        lambda: client.mkdir(f"{folder}/Extras"),
        lambda: client.write(f"{folder}/Extras/a.mkv", bytes(300_000)),
    ]
    for action in actions:
        action()
        assert root.until_converged(5) < 3


def test_a_rename_is_one_record_and_a_move_keeps_the_files_id(root: ShareRoot) -> None:
    folder = root.share.folder
    before = listed(root.share)["Show 0/1.mkv"]
    root.client.rename(f"{folder}/Show 0/1.mkv", f"{folder}/Show 0/one.mkv")
    root.until_converged(5)
    assert root.new_lines() == ["Show 0/1.mkv > Show 0/one.mkv"]
    root.client.rename(f"{folder}/Show 0/one.mkv", f"{folder}/Show 1/one.mkv")
    root.until_converged(5)
    assert {"+ Show 1/one.mkv", "- Show 0/one.mkv"} <= set(root.new_lines())
    assert listed(root.share)["Show 1/one.mkv"] == before == tree_of(root.records)["Show 1/one.mkv"]


def test_another_case_of_a_name_is_another_name(root: ShareRoot) -> None:
    folder = root.share.folder
    root.client.rename(f"{folder}/Show 0/1.mkv", f"{folder}/Show 0/aSide.mkv")
    root.until_converged(5)
    root.client.rename(f"{folder}/Show 0/aSide.mkv", f"{folder}/Show 0/Aside.mkv")
    root.until_converged(5)
    # the old name may be examined before the server's notice comes; the fold connects the two by the file's id
    in_short = root.new_lines()
    assert "Show 0/aSide.mkv > Show 0/Aside.mkv" in in_short or {
        "- Show 0/aSide.mkv",
        "+ Show 0/Aside.mkv",
    } <= set(in_short)
    assert "Show 0/aSide.mkv" not in tree_of(root.records)


def test_what_is_done_on_the_server_itself_in_a_busy_directory_is_found(root: ShareRoot) -> None:
    root.client.write(f"{root.share.folder}/Show 0/new.mkv", b"content")
    root.until_converged(5)
    (root.disk / "Show 0" / "local.mkv").write_bytes(b"made on the server")
    with (root.disk / "Show 0" / "2.mkv").open("ab") as file:
        file.write(b"longer")
    (root.disk / "Show 0" / "3.mkv").unlink()
    (root.disk / "Show 0" / "pack").mkdir()
    (root.disk / "Show 0" / "pack" / "inner.mkv").write_bytes(b"inner")
    assert root.until_converged(HEALED_SECONDS) < HEALED_SECONDS


def test_a_file_that_grows_is_followed_to_its_end(root: ShareRoot) -> None:
    path = f"{root.share.folder}/Show 0/grows.mkv"
    root.client.write(path, b"begun")
    root.until_converged(5)
    for _ in range(3):
        root.client.append(path, b"more" * 1_000)
        assert root.until_converged(10) < 5


@pytest.mark.parametrize("name", ["café", "cafe\u0301", "日本語 ✓", "film 😀", "שלום", "\uf03a private"])
def test_names_of_every_kind_are_the_disks_own(root: ShareRoot, name: str) -> None:
    (root.disk / "Show 0" / name).mkdir()
    (root.disk / "Show 0" / name / f"{name}.mkv").write_bytes(b"content")
    root.client.write(f"{root.share.folder}/Show 0/wakes.mkv", b"x")
    root.until_converged(10)
    assert f"Show 0/{name}/{name}.mkv" in tree_of(root.records)


def test_names_that_no_windows_client_can_have_disturb_nothing(root: ShareRoot) -> None:
    for name in (
        b"a:b",
        b"what?",
        b"trailing.",
        b"back\\slash",
        b"new\nline",
        b"bad\xff",
        b"half \xed\xa0\x80 pair",
        b"CON.mkv",
    ):
        Path(os.fsdecode(os.fsencode(root.disk / "Show 0") + b"/" + name)).write_bytes(b"content")
    root.client.write(f"{root.share.folder}/Show 0/wakes.mkv", b"x")
    root.until_converged(10)
    shown = [path for path in tree_of(root.records) if path.startswith("Show 0/")]
    assert len(shown) == 10 + 1 + 7  # servers do not show a name that is not UTF-8


def test_a_link_that_leads_upwards_is_not_followed(root: ShareRoot) -> None:
    (root.disk / "Show 0" / "up").symlink_to("..")
    root.client.write(f"{root.share.folder}/Show 0/wakes.mkv", b"x")
    root.until_converged(10)
    assert tree_of(root.records)["Show 0/up"][0] == "symlink"


def test_what_is_read_over_the_share_is_what_is_on_the_disk(root: ShareRoot) -> None:
    content = os.urandom(3_000_001)
    (root.disk / "big.mkv").write_bytes(content)
    with root.backend.open() as tree:
        pieces = [tree.piece("big.mkv", start, 1 << 20) for start in range(0, len(content), 1 << 20)]
    assert b"".join(piece[1] for piece in pieces if piece is not None) == content


@pytest.mark.timeout(120 + FILES // 20)
def test_a_directory_of_very_many_files(samba: Samba, tmp_path: Path) -> None:
    disk = samba.served["media"] / tmp_path.name
    (disk / "all").mkdir(parents=True)
    for number in range(FILES):
        (disk / "all" / f"{number}.mkv").write_bytes(b"%d" % number)
    with ShareRoot(samba, tmp_path, samba.share(tmp_path.name)) as root:
        root.until(lambda: root.bench.keeper.condition().scanned, 60 + FILES / 100, "the first scan")
        assert len(tree_of(root.records)) == FILES + 1
        root.client.write(f"{tmp_path.name}/all/new.mkv", b"content")
        root.client.remove(f"{tmp_path.name}/all/7.mkv")
        root.client.rename(f"{tmp_path.name}/all/8.mkv", f"{tmp_path.name}/all/eight.mkv")
        (disk / "all" / "on the server.mkv").write_bytes(b"content")
        root.until_converged(HEALED_SECONDS)
        assert root.deleted() <= {"all/7.mkv", "all/8.mkv"}


def test_two_clients_that_write_at_once_leave_what_is_there(root: ShareRoot) -> None:
    folder, other = root.share.folder, Client(root.samba)
    for number in range(40):
        for client, name in ((root.client, "one"), (other, "other")):
            client.write(f"{folder}/Show 1/{name} {number}.mkv", f"{name} {number}".encode() * 20)
            if number % 3 == 1:
                client.rename(f"{folder}/Show 1/{name} {number}.mkv", f"{folder}/Show 2/{name} {number}.mkv")
            if number % 3 == 2:
                client.remove(f"{folder}/Show 1/{name} {number}.mkv")
    root.until_converged(20)
    other.close()


# -- what goes wrong -------------------------------------------------------------------------------------------


def killed(samba: Samba) -> Callable[[], None]:
    samba.kill()
    return lambda: (samba.start(), None)[1]


def frozen(samba: Samba) -> Callable[[], None]:
    samba.signal(signal.SIGSTOP)
    return lambda: samba.signal(signal.SIGCONT)


def renamed(samba: Samba) -> Callable[[], None]:
    samba.kill()
    samba.served["other"] = samba.served.pop("media")
    samba.configure()
    samba.start()

    def mend() -> None:
        samba.kill()
        samba.served["media"] = samba.served.pop("other")
        samba.configure()
        samba.start()

    return mend


def another_password(samba: Samba) -> Callable[[], None]:
    samba.kill()
    samba.set_password("another")
    samba.start()
    return lambda: samba.set_password(PASSWORD)


def folder_away(samba: Samba) -> Callable[[], None]:
    films = samba.served["media"] / "films"
    films.rename(films.with_name("away"))
    return lambda: (films.with_name("away").rename(films), None)[1]


def emptied(samba: Samba) -> Callable[[], None]:
    """As where a disk is not mounted."""
    films = samba.served["media"] / "films"
    films.rename(films.with_name("away"))
    films.mkdir()

    def mend() -> None:
        films.rmdir()
        films.with_name("away").rename(films)

    return mend


FAULTS: dict[Callable[[Samba], Callable[[], None]], str] = {
    killed: "unreachable", frozen: "unreachable", renamed: "missing", another_password: "refused",
    folder_away: "missing", emptied: "replaced_by_empty",
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_a_fault_of_the_share_is_reported_within_15_s_deletes_nothing_and_is_made_up_for(
    alone: ShareRoot, fault: Callable[[Samba], Callable[[], None]]
) -> None:
    before = set(tree_of(alone.records))
    mend = fault(alone.samba)
    assert alone.until_lost(NOTICED_SECONDS + 5) < NOTICED_SECONDS
    assert alone.cause == FAULTS[fault]
    if fault is killed:
        alone.until(lambda: alone.bench.keeper.condition().tries > 1, 10, "another try")
    mend()
    there = alone.disk / "Show 0"
    (there / "meanwhile.mkv").write_bytes(b"made while nobody could look")
    assert alone.until_converged(HEALED_SECONDS) < HEALED_SECONDS
    assert set(tree_of(alone.records)) == before | {"Show 0/meanwhile.mkv"}
    assert alone.deleted() == set()
    lines = alone.new_lines()
    assert (
        lines.index(f"RootLost {FAULTS[fault]}")
        < lines.index("RootBack root_back")
        < lines.index("+ Show 0/meanwhile.mkv")
    )


def test_a_network_that_is_cut_is_reported_within_15_s_deletes_nothing_and_is_made_up_for(afar: ShareRoot) -> None:
    assert afar.samba.cable is not None
    before = set(tree_of(afar.records))
    afar.samba.cable.pull()
    assert afar.until_lost(NOTICED_SECONDS + 5) < NOTICED_SECONDS
    assert afar.cause == "unreachable"
    (afar.disk / "Show 0" / "meanwhile.mkv").write_bytes(b"made while nobody could look")
    (afar.disk / "Show 1" / "1.mkv").unlink()
    afar.samba.cable.plug()
    assert afar.until_converged(HEALED_SECONDS) < HEALED_SECONDS
    assert set(tree_of(afar.records)) == before - {"Show 1/1.mkv"} | {"Show 0/meanwhile.mkv"}
    assert afar.deleted() == {"Show 1/1.mkv"}


def test_a_connection_that_the_server_has_forgotten_is_reopened(afar: ShareRoot) -> None:
    """Half open: the server's machine was switched off and on behind a cut, and its kernel knows no connection."""
    cable = afar.samba.cable
    assert cable is not None
    cable.pull()
    afar.samba.kill()
    cable.remove()
    cable.lay()
    afar.samba.start()
    afar.client.close()
    other = Client(afar.samba)
    other.write("films/Show 0/meanwhile.mkv", b"made by another one")
    other.close()
    assert afar.until_converged(HEALED_SECONDS) < HEALED_SECONDS
    assert "Show 0/meanwhile.mkv" in tree_of(afar.records)
    assert afar.deleted() == set()


def test_a_server_restored_from_a_backup_gives_new_ids_and_loses_no_path(alone: ShareRoot) -> None:
    before = tree_of(alone.records)
    alone.samba.kill()
    for directory in sorted(alone.disk.iterdir()):  # the folder remains, its content was written again
        shutil.copytree(directory, alone.disk / "restored", copy_function=shutil.copy2)
        shutil.rmtree(directory)
        (alone.disk / "restored").rename(directory)
    alone.samba.start()
    alone.until_converged(HEALED_SECONDS)
    after = tree_of(alone.records)
    assert after.keys() == before.keys()
    assert all(after[path] != before[path] for path in before)
    assert alone.deleted() == set()


def test_another_folder_in_the_roots_place_waits_to_be_accepted(alone: ShareRoot) -> None:
    copy = alone.disk.with_name("copy")
    shutil.copytree(alone.disk, copy)
    alone.disk.rename(alone.disk.with_name("away"))
    copy.rename(alone.disk)
    alone.until_lost(NOTICED_SECONDS)
    assert alone.cause == "swapped"
    assert alone.deleted() == set()


def test_a_full_disk_of_the_server_loses_nothing_of_what_is_there(own_samba: Samba, tmp_path: Path) -> None:
    small = own_samba.served["media"] / "small"
    small.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "small", small], capture_output=True, check=False
    )
    if mounted.returncode != 0:
        pytest.skip("no file system may be mounted here: no disk was full")
    try:
        with ShareRoot(own_samba, tmp_path, own_samba.share("small")) as root:
            root.client.write("small/first.mkv", b"content")
            root.until_converged(10)
            with pytest.raises(DiskFull):
                root.client.write("small/large.mkv", bytes(2 << 20))
            root.until_converged(20)
            assert "first.mkv" in tree_of(root.records)
    finally:
        own_samba.kill()
        subprocess.run(["umount", small], check=True)


def test_an_overflow_of_notices_opens_a_gap_and_closes_it(alone: ShareRoot) -> None:
    watch = alone.bench.keeper._watch
    assert watch is not None
    watch.limit = 0  # type: ignore[attr-defined]
    alone.client.write("films/Show 1/unseen.mkv", b"x")
    alone.until(lambda: "GapOpen overflow" in alone.new_lines(), 10, "the gap")
    watch.limit = 500  # type: ignore[attr-defined]
    alone.until(lambda: any(isinstance(r, raw.GapClosed) for r in alone.records), 20, "the gap's end")
    alone.until_converged(10)


def test_a_share_that_cannot_encrypt_is_refused_where_that_is_required(own_samba: Samba) -> None:
    own_samba.kill()
    own_samba.settings = "  server smb encrypt = off\n"
    own_samba.configure()
    own_samba.start()
    backend = SmbBackend(own_samba.share(encryption="required"))
    with pytest.raises(RootFault) as fault:
        backend.open()
    assert fault.value.faulty.cause == "unsupported"
    offered = SmbBackend(own_samba.share())
    with offered.open():
        assert offered._session is not None
        assert not offered._session.is_encrypted
    offered.close()


def test_a_dfs_name_is_refused_in_one_line(own_samba: Samba) -> None:
    own_samba.kill()
    own_samba.settings = "  host msdfs = yes\n"
    own_samba.configure()
    with own_samba.config.open("a") as config:
        config.write("  msdfs root = yes\n")
    own_samba.start()
    with pytest.raises(RootFault, match="DFS name, which is not supported") as fault:
        SmbBackend(own_samba.share()).open()
    assert fault.value.faulty.cause == "unsupported"
