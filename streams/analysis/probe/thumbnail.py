"""Thumbnails: at most 480 pixels and 64 KiB, WebP, upright, in the colours of a screen; and nothing else of the file in
them."""

from __future__ import annotations

import io
import math

import xxhash
from PIL import Image, ImageCms

from streams.analysis.probe import decoding, exif
from streams.analysis.probe.read import Damaged
from streams.analysis.wire import Picture

MAX_PIXELS = 80_000_000
"""More are not decoded: 3 bytes each must fit the child's memory beside the decoder's own."""
MAX_COVER_BYTES = 16_777_216
"""Of a picture inside another file; a larger one is not looked at."""
SIDE = 480
MAX_BYTES = 65_536
QUALITIES = (80, 50, 20)
METHOD = 1
"""Of libwebp, 0 to 6: a third of the time of 4, the library's own, for one or two percent more bytes (measured)."""
REMEMBERED = 16
"""Pictures of files that came before: the songs of an album bring the same one along. At most 1 MiB."""
MAX_PROFILE_BYTES = 4_194_304
"""Of colours: those of a printing press have two million."""
MAX_CONVERTED_PIXELS = 25_000_000
"""Of a picture with a palette: in colours it can be shrunk well, and has four times as many bytes."""

_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180, 4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE, 6: Image.Transpose.ROTATE_270, 7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}  # fmt: skip
"""What makes a picture upright, by its orientation (Exif 2.32, 0x0112)."""
_remembered: dict[str, Picture | None] = {}


def of_bytes(data: bytes) -> Picture | None:
    """The thumbnail of a picture inside a file; None when it is none that can be read, or larger inside than its pixels
    say: the file itself is not damaged by a bad cover."""
    name = xxhash.xxh3_128_hexdigest(data)
    try:
        found = _remembered.pop(name) if name in _remembered else made(data)
    except MemoryError:
        return None
    _remembered[name] = found  # the newest stands last
    if len(_remembered) > REMEMBERED:
        del _remembered[next(iter(_remembered))]
    return found


def made(data: bytes, orientation: int | None = None) -> Picture | None:
    """The same, remembered by nobody. `orientation`: instead of the picture's own."""
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
    """The thumbnail of an image, turned as its orientation says, its transparent parts white. Raises what Pillow raises for
    damaged data."""
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
    """In eight bits a colour, and in sRGB where it says what its colours are."""
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
    except (ImageCms.PyCMSError, *decoding.FAULTS):  # nonsense, or of other colours than the picture has
        return image
    return image if shown is None else shown


def _profile(image: Image.Image) -> bytes | None:
    said = image.info.get("icc_profile")
    fits = isinstance(said, bytes) and 0 < len(said) <= MAX_PROFILE_BYTES and image.mode in ("RGB", "CMYK")
    return said if fits else None


def _stretched(image: Image.Image) -> Image.Image:
    """Numbers of any size, from the darkest to the brightest that there are."""
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
