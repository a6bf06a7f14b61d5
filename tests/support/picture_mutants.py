"""Broken pictures without end: whole ones of every kind, cut, flipped, spliced, repeated; seeded.

`python -m tests.support.picture_mutants COUNT SEED` probes so many and says how they ended and what was wrong."""

from __future__ import annotations

import io
import random
import re
import sys
import time
from collections import Counter
from collections.abc import Iterator

from PIL import Image

from streams.analysis import probe
from streams.analysis.wire import Reply, Request
from tests.support import pictures, raw_files
from tests.support.pictures import BERLIN, camera

SLOW_SECONDS = 5.0
PYTHON = re.compile(
    r"[A-Z][a-z]+(Error|Exception|Warning)|Traceback|object at 0x|NoneType|'[a-z]+' object|\bbytes\b.*\brequired"
)
"""How an exception's text reads."""
WORDS = (
    b"\xff\xff\xff\xff", b"\0\0\0\0", b"\x7f\xff\xff\xff", b"\x80\0\0\0", b"\0\0\0\1", b"\1\0\0\0", b"\xff\xd8", b"\xff\xd9",
    b"\xff\xda", b"II*\0\x08\0\0\0", b"Exif\0\0", b"<!DOCTYPE x [<!ENTITY a 'b'>]>",
)  # fmt: skip


def whole() -> dict[str, bytes]:
    """One of each kind, small."""
    image = Image.effect_noise((48, 32), 60).convert("RGB")
    block = b"Exif\0\0" + pictures.tiff(camera(gps=BERLIN))
    made: dict[str, bytes] = {f"a.{kind}": make() for kind, make in raw_files.ALL.items()}
    kinds: tuple[tuple[str, str, dict[str, object]], ...] = (
        ("a.jpg", "JPEG", {"exif": block}), ("b.jpg", "JPEG", {"progressive": True, "xmp": b"<x>y</x>"}),
        ("a.png", "PNG", {"exif": block}), ("a.webp", "WEBP", {"exif": block}), ("b.webp", "WEBP", {"lossless": True}),
        ("a.gif", "GIF", {"save_all": True, "append_images": [image] * 3}), ("a.bmp", "BMP", {}), ("a.tga", "TGA", {}),
        ("a.tif", "TIFF", {"compression": "tiff_lzw"}), ("b.tif", "TIFF", {"compression": "jpeg"}), ("c.tif", "TIFF", {}),
        ("a.avif", "AVIF", {"exif": block}), ("a.jp2", "JPEG2000", {}), ("a.ico", "ICO", {}), ("a.icns", "ICNS", {}),
        ("a.dds", "DDS", {}), ("a.sgi", "SGI", {}), ("a.pcx", "PCX", {}), ("a.ppm", "PPM", {}),
    )  # fmt: skip
    for name, kind, options in kinds:
        out = io.BytesIO()
        image.save(out, kind, **options)
        made[name] = out.getvalue()
    made["a.heic"] = pictures.heic((64, 48), exif=pictures.tiff(camera(gps=BERLIN)), turns=1)
    tile = pictures.hevc(Image.new("RGB", (64, 64), "blue"))
    small = pictures.Item(tile.kind, tile.data, tile.properties, ((b"thmb", (1,)),))
    made["b.heic"] = pictures.heif(pictures.grid(2, 1, (64, 64), (2, 3)), tile, tile, small)
    made["a.heics"] = pictures.sequence(image.resize((128, 96)))
    stream = raw_files.jxl_codestream(4_000, 3_000)
    made["a.jxl"] = stream
    made["b.jxl"] = raw_files.jxl_container(stream, pictures.tiff(camera()), parts=True)
    made["a.svg"] = b'<?xml version="1.0"?><!-- x --><svg width="10" height="20" viewBox="0 0 10 20"></svg>'
    return made


def mutants(seed: int) -> Iterator[tuple[str, bytes]]:
    """Without end: a name and a file."""
    chance = random.Random(seed)
    originals = whole()
    names = sorted(originals)
    while True:
        name = chance.choice(names)
        data = bytearray(originals[name])
        for _ in range(chance.randint(1, 3)):
            _mutate(chance, data, originals[chance.choice(names)])
        yield (name if chance.random() < 0.8 else chance.choice(names)), bytes(data)


def _mutate(chance: random.Random, data: bytearray, other: bytes) -> None:
    if not data:
        return
    near = chance.randrange(min(len(data), 512)) if chance.random() < 0.6 else chance.randrange(len(data))
    match chance.randrange(6):
        case 0:
            del data[near:]
        case 1:
            for _ in range(chance.randint(1, 12)):
                data[chance.randrange(min(len(data), near + 64))] = chance.randrange(256)
        case 2:
            word = chance.choice(WORDS)
            data[near : near + len(word)] = word
        case 3:
            start = chance.randrange(len(other))
            data[near:near] = other[start : start + chance.randint(1, 4_000)]
        case 4:
            length = chance.randint(1, 200)
            data[near : near + length] = data[near : near + length] * chance.choice((2, 3, 50))
        case _:
            del data[near : near + chance.randint(1, 40)]


def wrong(reply: Reply) -> str | None:
    """What must not be in a reply."""
    texts = [reply.reason or "", *(reply.found.warnings if reply.found is not None else ())]
    spoken = next((text for text in texts if PYTHON.search(text)), None)
    if spoken is not None:
        return spoken
    if reply.status == "failed" and not reply.reason:
        return "no reason"
    return "done without a finding" if reply.status == "done" and reply.found is None else None


def main(count: int, seed: int) -> None:
    """See the module."""
    ended: Counter[str] = Counter()
    slowest: list[tuple[float, str, int]] = []
    for number, (name, data) in zip(range(count), mutants(seed), strict=False):
        began = time.perf_counter()
        reply = probe.probe(io.BytesIO(data), Request("image", name))
        slowest = sorted([*slowest, (time.perf_counter() - began, name, number)], reverse=True)[:5]
        ended[reply.status] += 1
        ended[f"{reply.status}: {reply.reason or (reply.found.warnings if reply.found else '')}"] += 1
        if (fault := wrong(reply)) is not None:
            print(number, name, fault)
    print(*(f"{times:8} {what}" for what, times in ended.most_common(60)), sep="\n")
    print("slowest:", slowest)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
