"""Requests as smbprotocol's structures; responses are parsed by hand.

Responses have tens of thousands of entries, and smbprotocol makes an object for each field of them; the layouts are those of
[MS-SMB2] 2.2 and [MS-FSCC] 2.4 and 2.5. Times are counted in 100 ns since 1601, sizes and ids are 64 bits wide."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from smbprotocol.change_notify import ChangeNotifyFlags, CompletionFilter, SMB2ChangeNotifyRequest
from smbprotocol.file_info import FileAttributes, FileInformationClass, InfoType
from smbprotocol.open import (
    CreateDisposition,
    CreateOptions,
    ImpersonationLevel,
    QueryDirectoryFlags,
    ShareAccess,
    SMB2CloseRequest,
    SMB2CreateRequest,
    SMB2QueryDirectoryRequest,
    SMB2QueryInfoRequest,
    SMB2ReadRequest,
)
from smbprotocol.structure import Structure

from schemas.raw import FileState, FileType
from storage.smb.names import from_wire

LAST = b"\xff" * 16
"""The handle that the first request of the same message opens."""

PAGE = 65_536
"""Bytes of a response that cost one credit."""

FS_VOLUME = 1
"""FileFsVolumeInformation, [MS-FSCC] 2.5."""

_SYNCHRONIZE, _LIST_OR_READ, _READ_ATTRIBUTES = 0x0010_0000, 0x1, 0x80
_SHARED = ShareAccess.FILE_SHARE_READ | ShareAccess.FILE_SHARE_WRITE | ShareAccess.FILE_SHARE_DELETE
_WATCHED = (
    CompletionFilter.FILE_NOTIFY_CHANGE_FILE_NAME | CompletionFilter.FILE_NOTIFY_CHANGE_DIR_NAME
    | CompletionFilter.FILE_NOTIFY_CHANGE_SIZE | CompletionFilter.FILE_NOTIFY_CHANGE_LAST_WRITE
    | CompletionFilter.FILE_NOTIFY_CHANGE_ATTRIBUTES
)  # fmt: skip

_ENTRY = struct.Struct("<IIqqqqqqIIIIQ")
_ALL = struct.Struct("<qqqqIIqqIBBHQ")
_NOTIFY = struct.Struct("<III")
_BUFFER = struct.Struct("<2xHI")
_READ = struct.Struct("<2xBxI")
_VOLUME = struct.Struct("<qI")
_HANDLE = slice(64, 80)
_HEADER = 64
_EPOCH = 116_444_736_000_000_000
"""1970 in the protocol's time."""

_REPARSE = FileAttributes.FILE_ATTRIBUTE_REPARSE_POINT
_DIRECTORY = FileAttributes.FILE_ATTRIBUTE_DIRECTORY
_NAME_SURROGATE = 0x2000_0000
"""Of a reparse tag: the entry refers to another one, [MS-FSCC] 2.1.2.1."""

_TAG_NFS = 0x8000_0014
"""A pipe, a socket, a device."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One name of a directory's listing."""

    name: str
    state: FileState


@dataclass(frozen=True, slots=True)
class Notice:
    """What changed below a directory: the action of [MS-FSCC] 2.7.1, and the path from there."""

    action: int
    path: str


# -- requests --------------------------------------------------------------------------------------------------


def open_directory(path: bytes) -> Structure:
    """Open it to be listed and watched; a link at its place is not followed."""
    return _create(path, CreateOptions.FILE_DIRECTORY_FILE)


def open_file(path: bytes) -> Structure:
    """Open it to be read; a directory is refused."""
    return _create(path, CreateOptions.FILE_NON_DIRECTORY_FILE)


def _create(path: bytes, options: int) -> Structure:
    create = SMB2CreateRequest()
    create["impersonation_level"] = ImpersonationLevel.Impersonation
    create["desired_access"] = _LIST_OR_READ | _READ_ATTRIBUTES | _SYNCHRONIZE
    create["share_access"] = _SHARED
    create["create_disposition"] = CreateDisposition.FILE_OPEN
    create["create_options"] = options
    create["buffer_path"] = path or b"\0\0"
    return create


def close(handle: bytes = LAST) -> Structure:
    """Close it."""
    request = SMB2CloseRequest()
    request["file_id"] = handle
    return request


def list_directory(pattern: bytes, handle: bytes = LAST, *, single: bool = False) -> Structure:
    """The next page of its entries that match, or the first one alone."""
    request = SMB2QueryDirectoryRequest()
    request["file_information_class"] = FileInformationClass.FILE_ID_FULL_DIRECTORY_INFORMATION
    if single:
        request["flags"] = QueryDirectoryFlags.SMB2_RETURN_SINGLE_ENTRY
    request["file_id"] = handle
    request["output_buffer_length"] = 4_096 if single else PAGE
    request["buffer"] = pattern
    return request


def query_state(handle: bytes = LAST) -> Structure:
    """All that is known of what is open."""
    return _query(InfoType.SMB2_0_INFO_FILE, FileInformationClass.FILE_ALL_INFORMATION, handle)


def query_volume(handle: bytes = LAST) -> Structure:
    """The volume that it is on."""
    return _query(InfoType.SMB2_0_INFO_FILESYSTEM, FS_VOLUME, handle)


def _query(kind: int, information: int, handle: bytes) -> Structure:
    request = SMB2QueryInfoRequest()
    request["info_type"] = kind
    request["file_info_class"] = information
    request["output_buffer_length"] = PAGE
    request["file_id"] = handle
    return request


def read(handle: bytes, start: int, length: int) -> Structure:
    """Bytes of an open file."""
    request = SMB2ReadRequest()
    request["length"] = length
    request["offset"] = start
    request["file_id"] = handle
    request["padding"] = b"\x50"
    return request


def watch(handle: bytes) -> Structure:
    """Report what changes below it, once."""
    request = SMB2ChangeNotifyRequest()
    request["flags"] = ChangeNotifyFlags.SMB2_WATCH_TREE
    request["output_buffer_length"] = PAGE
    request["file_id"] = handle
    request["completion_filter"] = _WATCHED
    return request


# -- responses -------------------------------------------------------------------------------------------------


def handle_of(response: bytes) -> bytes:
    """The handle of what was opened."""
    return response[_HANDLE]


def content_of(response: bytes) -> bytes:
    """What was read."""
    at, length = _READ.unpack_from(response)
    return response[at - _HEADER : at - _HEADER + length]


def buffer_of(response: bytes) -> bytes:
    """The content of a query's response."""
    at, length = _BUFFER.unpack_from(response)
    return response[at - _HEADER : at - _HEADER + length] if length else b""


def entries_in(page: bytes, dev: int) -> Iterator[Entry]:
    """The entries of a page, but for the directory itself and its parent."""
    at = 0
    while page:
        (step, _, _, _, written, changed, size, _, attributes, length, tag, _, file_id) = _ENTRY.unpack_from(
            page, at
        )
        name = page[at + _ENTRY.size : at + _ENTRY.size + length]
        if name not in (b".\0", b".\0.\0"):
            kind = _kind(attributes, tag)
            yield Entry(from_wire(name), _state(kind, size, written, changed, dev, file_id))
        if not step:
            return
        at += step


def state_in(response: bytes, dev: int) -> FileState:
    """The state of what is open, which is no link: links are never opened."""
    (_, _, written, changed, attributes, _, _, size, _, _, _, _, file_id) = _ALL.unpack_from(buffer_of(response))
    return _state(_kind(attributes & ~_REPARSE, 0), size, written, changed, dev, file_id)


def serial_in(response: bytes) -> int:
    """The volume's serial number."""
    _, serial = _VOLUME.unpack_from(buffer_of(response))
    return int(serial)


def notices_in(response: bytes) -> list[Notice]:
    """What changed, in its order; empty where more changed than the server keeps."""
    page = buffer_of(response)
    found: list[Notice] = []
    at = 0
    while page:
        step, action, length = _NOTIFY.unpack_from(page, at)
        name = from_wire(page[at + _NOTIFY.size : at + _NOTIFY.size + length])
        found.append(Notice(action, name.replace("\\", "/")))
        if not step:
            break
        at += step
    return found


def _kind(attributes: int, tag: int) -> FileType:
    """A file that a server keeps elsewhere (deduplicated, compressed) is a reparse point and still a file."""
    if attributes & _REPARSE and tag & _NAME_SURROGATE:
        return "symlink"
    if attributes & _REPARSE and tag == _TAG_NFS:
        return "other"
    return "dir" if attributes & _DIRECTORY else "file"


def _state(kind: FileType, size: int, written: int, changed: int, dev: int, file_id: int) -> FileState:
    return FileState(
        kind, 0 if kind == "dir" else size, _nanoseconds(written), dev, file_id, ctime_ns=_nanoseconds(changed)
    )


def _nanoseconds(filetime: int) -> int:
    return (filetime - _EPOCH) * 100 if filetime > 0 else 0
