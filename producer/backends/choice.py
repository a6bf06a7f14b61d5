"""How a local root is watched, and why: by its setting, and by its file system. Pure.

What counts is who else can change it. The kernel reports (inotify, fanotify) every change that this machine makes through
the mount, on any file system; it reports nothing of what another machine or a program behind the mount does. Where only
this machine can change the root, the kernel's reports are used; where others can, it is polled."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from producer.backends.local.file_system import FileSystem

WatchSetting = Literal["auto", "inotify", "fanotify", "polling"]
Way = Literal["inotify", "fanotify", "polling"]

SHARE = "other machines change it too, and the kernel does not report what they do"
HOST = "the host changes it too, and this kernel does not learn of it"
BEHIND = "the kernel does not learn what changes behind a FUSE file system"
CLUSTER = "it is a disk of several machines, and the kernel does not report what the others do"
DISK = "only this machine changes it, and the kernel reports that"
STACKED = "the kernel reports what is changed through it; what is changed below it the next reconcile finds"
UNKNOWN = "its type is not known, and it is on no disk of this machine"
UNDETECTED = "its file system cannot be found out"

FILE_SYSTEMS: Mapping[str, tuple[Way, str]] = {
    **dict.fromkeys(("nfs", "nfs4", "cifs", "smb3", "smbfs", "afs", "ncpfs", "coda"), ("polling", SHARE)),
    **dict.fromkeys(("ceph", "lustre", "beegfs", "gpfs", "orangefs", "pvfs2", "glusterfs"), ("polling", SHARE)),
    **dict.fromkeys(("gfs2", "ocfs2"), ("polling", CLUSTER)),
    **dict.fromkeys(("9p", "virtiofs", "vboxsf", "prl_fs", "vmhgfs", "fakeowner"), ("polling", HOST)),
    "fuse": ("polling", BEHIND),
    "fuseblk": ("inotify", DISK),  # ntfs-3g and exfat-fuse: a device that this machine alone has mounted
    **dict.fromkeys(("exfat", "vfat", "msdos", "ntfs", "ntfs3", "hfsplus", "udf"), ("inotify", DISK)),
    **dict.fromkeys(("zfs", "tmpfs", "ramfs", "devtmpfs"), ("inotify", DISK)),
    **dict.fromkeys(("overlay", "aufs", "ecryptfs", "shiftfs"), ("inotify", STACKED)),
}  # fmt: skip
"""By the kernel's name of the type; `fuse.…` is `fuse`. Other types are watched through inotify if they have a device."""


@dataclass(frozen=True, slots=True)
class Choice:
    """The way to watch, and the reason."""

    way: Way
    why: str


def choose(setting: WatchSetting, system: FileSystem) -> Choice:
    """`auto` never takes fanotify, which reports everything that happens on the whole file system."""
    if setting != "auto":
        return Choice(setting, f"watch = {setting}")
    way, why = _by_type(system)
    return Choice(way, f"{system.type}: {why}" if system.type else why)


def _by_type(system: FileSystem) -> tuple[Way, str]:
    if not system.type:
        return "inotify", UNDETECTED
    known = FILE_SYSTEMS.get("fuse" if system.type.startswith("fuse.") else system.type)
    if known is not None:
        return known
    return ("inotify", DISK) if system.has_device else ("polling", UNKNOWN)
