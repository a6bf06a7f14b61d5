"""What a fingerprint covers: XXH3-128 of a file's size (8 bytes, little endian) and its first, middle and last
64 KiB, the same in every back-end."""

from __future__ import annotations

from collections.abc import Callable

import xxhash

SAMPLE = 65_536
"""Bytes of each sample."""

WHOLE = 3 * SAMPLE
"""It covers all of a file up to this length."""


def xxh3_of(size: int, read: Callable[[int, int], bytes]) -> str:
    """32 hex digits. `read(length, start)` returns a file's bytes. Raises what it raises."""
    prefix = size.to_bytes(8, "little")
    if size <= SAMPLE:  # most files of a photo or book library: one call instead of three
        return xxhash.xxh3_128_hexdigest(prefix + read(size, 0))
    digest = xxhash.xxh3_128(prefix)
    for start in starts(size):
        digest.update(read(min(SAMPLE, size - start), start))
    return digest.hexdigest()


def starts(size: int) -> tuple[int, ...]:
    """Where each sample begins: the whole of a file of up to 3 x 64 KiB, in order, without overlap; of a longer one its
    first 64 KiB, those around its middle, and its last."""
    if size <= WHOLE:
        return tuple(range(0, size, SAMPLE))
    return (0, (size - SAMPLE) // 2, size - SAMPLE)
