"""Thumbnails: at most 480 pixels and 64 KiB, WebP, upright, in sRGB; they contain nothing else of the file."""

from __future__ import annotations

import io
import math

import xxhash
from PIL import Image, ImageCms

from streams.analysis.probe import decoding, exif
from streams.analysis.probe.read import Damaged
from streams.analysis.wire import Picture

MAX_PIXELS = 80_000_000
"""Maximum pixels that are decoded: at 3 bytes each they must fit into the child's memory in addition to the
decoder's."""
MAX_COVER_BYTES = 16_777_216
"""Maximum bytes of a picture inside another file; a larger one is ignored."""
SIDE = 480
MAX_BYTES = 65_536
QUALITIES = (80, 50, 20)
METHOD = 1
"""libwebp's method, 0 to 6: it takes a third of the time of the default, 4, for one or two per cent more bytes
(measured)."""
REMEMBERED = 16
"""Thumbnails of earlier pictures, because the songs of an album contain the same one. At most 1 MiB."""
MAX_PROFILE_BYTES = 4_194_304
"""Maximum bytes of a colour profile: those for printing have two million."""
MAX_CONVERTED_PIXELS = 25_000_000
"""Maximum pixels of a picture with a palette: it is scaled in full colours, which have four times as many bytes."""

_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180, 4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE, 6: Image.Transpose.ROTATE_270, 7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}  # fmt: skip
"""The operation that makes a picture upright, by its orientation (Exif 2.32, 0x0112)."""
_remembered: dict[str, Picture | None] = {}


def of_bytes(data: bytes) -> Picture | None:
    """The thumbnail of a picture inside a file; None if it cannot be read, or is too large: an invalid cover does not
    make the file damaged."""
    name = xxhash.xxh3_128_hexdigest(data)
    try:
        found = _remembered.pop(name) if name in _remembered else made(data)
    except MemoryError:
        return None
    _remembered[name] = found  # the newest is last
    if len(_remembered) > REMEMBERED:
        del _remembered[next(iter(_remembered))]
    return found


def made(data: bytes, orientation: int | None = None) -> Picture | None:
    """The same, without caching. `orientation`: instead of the picture's own."""
    file = io.BytesIO(data)
    for forgiving in (False, True):
        try:
            with decoding.careful(forgiving=forgiving):
                image = decoding.opened(file, len(data))
                if image is None:
                    return None
                with image:
                    decoding.load(image, file)
                    return of_image(image, orientation or exif.of_info(image.info).orientation)
        except Damaged:
            return None
        except decoding.FAULTS:
            continue
    return None


def of_image(image: Image.Image, orientation: int = 1) -> Picture:
    """The thumbnail of an image, rotated by its orientation, with white in place of transparency. Raises what Pillow
    raises for damaged data."""
    flat = _opaque(_on_a_screen(_shrunk(image)))
    if orientation in _TURNS:
        flat = flat.transpose(_TURNS[orientation])
    for quality in QUALITIES:
        out = io.BytesIO()
        flat.save(out, "WEBP", quality=quality, method=METHOD)
        if out.tell() <= MAX_BYTES:
            return Picture("image/webp", flat.width, flat.height, out.getvalue())
    raise Damaged("no thumbnail of it is small enough")


def _shrunk(image: Image.Image) -> Image.Image:
    share = min(1.0, SIDE / max(image.size))
    wide, high = (max(1, round(side * share)) for side in image.size)
    if image.mode in ("1", "P", "PA") and image.width * image.height <= MAX_CONVERTED_PIXELS:
        image = image.convert("RGBA" if _is_transparent(image) else "RGB")
    if (wide, high) == image.size:
        return image
    profile = image.info.get("icc_profile")
    small = image.resize((wide, high), reducing_gap=2.0)
    return small if profile is None else _with_profile(small, profile)


def _with_profile(image: Image.Image, profile: object) -> Image.Image:
    image.info["icc_profile"] = profile
    return image


def _on_a_screen(image: Image.Image) -> Image.Image:
    """The image with eight bits per channel, and in sRGB if it has a colour profile."""
    if image.mode.startswith("I;16"):
        return image.convert("I").point(lambda value: value * (1 / 256)).convert("L")
    if image.mode in ("I", "F"):
        return _stretched(image)
    profile = _profile(image)
    if profile is None and image.mode != "LAB":
        return image
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile) if profile else ImageCms.createProfile("LAB"))
        shown = ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
    except (ImageCms.PyCMSError, *decoding.FAULTS):  # an invalid profile, or one for another colour space
        return image
    return image if shown is None else shown


def _profile(image: Image.Image) -> bytes | None:
    profile = image.info.get("icc_profile")
    fits = isinstance(profile, bytes) and 0 < len(profile) <= MAX_PROFILE_BYTES and image.mode in ("RGB", "CMYK")
    return profile if fits else None


def _stretched(image: Image.Image) -> Image.Image:
    """Scale values of any range, so that the darkest becomes black and the brightest white."""
    low, high = (float(edge) if isinstance(edge, (int, float)) else math.nan for edge in image.getextrema()[:2])
    scale = 255 / (high - low) if high > low else 0.0
    if not (math.isfinite(low) and math.isfinite(scale)):
        raise Damaged("its brightness is not a number")
    return image.point(lambda value: value * scale + -low * scale).convert("L")


def _is_transparent(image: Image.Image) -> bool:
    return "A" in image.getbands() or "transparency" in image.info


def _opaque(image: Image.Image) -> Image.Image:
    if image.mode == "RGB":
        return image
    if not _is_transparent(image):
        return image.convert("RGB")
    layered = image.convert("RGBA")
    flat = Image.new("RGB", layered.size, "white")
    flat.paste(layered, mask=layered.getchannel("A"))
    return flat
