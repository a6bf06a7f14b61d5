"""A library is a lane: one partition number, the same in every topic with L partitions.

The number is Kafka's own default partitioner's (murmur2 of the key, sign bit cleared, modulo L), so that any
client's producer agrees. Source of the algorithm: Kafka's `Utils.murmur2` and `BuiltInPartitioner`.
"""

from __future__ import annotations

from typing import NewType

Lane = NewType("Lane", int)

_M = 0x5BD1E995
_MASK = 0xFFFFFFFF


def murmur2(data: bytes) -> int:
    """MurmurHash2, 32 bit, with Kafka's seed 0x9747b28c; unsigned."""
    length = len(data)
    h = (0x9747B28C ^ length) & _MASK
    whole = length & ~3
    for i in range(0, whole, 4):
        k = (int.from_bytes(data[i : i + 4], "little") * _M) & _MASK
        k ^= k >> 24
        h = ((h * _M) & _MASK) ^ ((k * _M) & _MASK)
    if tail := data[whole:]:
        h = ((h ^ int.from_bytes(tail, "little")) * _M) & _MASK
    h ^= h >> 13
    h = (h * _M) & _MASK
    return h ^ (h >> 15)


def partition_of(key: bytes, partitions: int) -> int:
    """The partition that Kafka's default partitioner gives a key."""
    return (murmur2(key) & 0x7FFFFFFF) % partitions


def lane_of(library: str, lanes: int) -> Lane:
    """The lane of a library among `lanes` (L, fixed for the life of the log)."""
    return Lane(partition_of(library.encode(), lanes))
