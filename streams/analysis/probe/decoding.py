"""Pictures through Pillow and libheif: which formats are tried, what is decoded, and what is done with a damaged file.

A picture is decoded only if it fits into the memory that the child may use. FAULTS are the exceptions that decoders
raise for foreign files.
"""

from __future__ import annotations

import io
import resource
import struct
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

import pi_heif
from PIL import AvifImagePlugin, Image, ImageFile, Jpeg2KImagePlugin, UnidentifiedImageError

from streams.analysis.probe import heif, jpeg
from streams.analysis.probe.read import Damaged

FORMATS = (
    "AVIF", "BMP", "DDS", "GIF", "HEIF", "ICNS", "ICO", "JPEG", "JPEG2000", "PCX", "PNG", "PPM", "PSD", "SGI", "TIFF",
    "WEBP",
)  # fmt: skip
"""The formats tried; none that starts a program (EPS), is only a stub (HDF5, WMF, PDF), is not a picture (MPEG), or is
decoded in Python, which takes minutes (QOI). TGA has no signature, so it is requested by name."""
FAULTS = (
    OSError, ValueError, SyntaxError, EOFError, LookupError, TypeError, AttributeError, ArithmeticError, RuntimeError,
    AssertionError, MemoryError, struct.error, zlib.error, Image.DecompressionBombError,
)  # fmt: skip
"""What parsers raise for damaged files: anything except what stops the process."""
SHRUNK = 960
"""The minimum side in pixels to which a JPEG is decoded: twice a thumbnail's."""
JPEG_2000_HEAD = 65_536
MAX_PASSES = 64
"""Maximum passes of a JPEG: programs make ten, and each processes the whole picture, however few bytes it has."""
MAX_SLOW_PIXELS = 4_000_000
"""Limit for some rare kinds (DDS, PPM as text, BMP with RLE) that are decoded in Python, at up to a microsecond per
pixel."""
WHOLE = ("AVIF", "HEIF", "WEBP")
"""Formats whose decoders read the whole file into memory."""
MAX_WHOLE_BYTES = 100_663_296
BYTES_OF_A_PIXEL = {"AVIF": 14, "HEIF": 10, "JPEG2000": 20, "TIFF": 5, "WEBP": 16}
"""Including what the decoder needs in addition to the picture (measured, by address space)."""
PILLOWS_BYTES = 4
TOO_LARGE = "it is too large to be decoded"
OWN_BYTES = 167_772_160
"""Address space of a child before it decodes anything (measured: 143 MB), plus some for what follows."""
UNLIMITED_BYTES = 536_870_912
"""Without a limit, the setting's default."""


Image.MAX_IMAGE_PIXELS = None  # our own cap is checked before anything is decoded
pi_heif.register_heif_opener(decode_threads=1, thumbnails=False, depth_images=False, aux_images=False)
AvifImagePlugin.DEFAULT_MAX_THREADS = 1  # the number of children is the intended parallelism


def load_plugins() -> None:
    """Load Pillow's formats, which it loads lazily."""
    Image.init()


@contextmanager
def careful(*, forgiving: bool = False) -> Iterator[None]:
    """Suppress the decoders' warnings. `forgiving`: decode what is there of a damaged picture; this is Pillow's switch
    for the whole process, in which one thread reads one file at a time."""
    before = ImageFile.LOAD_TRUNCATED_IMAGES
    ImageFile.LOAD_TRUNCATED_IMAGES = forgiving
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        ImageFile.LOAD_TRUNCATED_IMAGES = before


def opened(file: BinaryIO, length: int, *, targa: bool = False) -> Image.Image | None:
    """Open a picture, without decoding it; None if it is not one. Raises FAULTS."""
    formats = [name for name in FORMATS if length <= MAX_WHOLE_BYTES or name not in WHOLE]
    formats += ["TGA"] if targa else []
    if "HEIF" in formats and not heif.is_sound(file):
        formats.remove("HEIF")
    try:
        return Image.open(_held(file, length), formats=formats)
    except UnidentifiedImageError:
        return None


def _held(file: BinaryIO, length: int) -> BinaryIO:
    """The file in memory, if its decoder would read it there by itself, in small pieces that are separate requests on a
    share."""
    file.seek(0)
    head = file.read(12)
    file.seek(0)
    is_whole = heif.container(head) is not None or head[8:] == b"WEBP"
    return io.BytesIO(file.read(length)) if is_whole and length <= MAX_WHOLE_BYTES else file


def load(image: Image.Image, file: BinaryIO) -> None:
    """Decode it, no larger than needed if its format allows that. Raises Damaged and FAULTS."""
    coefficients = 0
    if image.format in ("JPEG", "MPO"):
        head = jpeg.head(file)
        if head is not None and head.is_in_passes:
            coefficients = head.coefficient_bytes
            if jpeg.passes(file, head.passes_at, MAX_PASSES) > MAX_PASSES:
                raise Damaged("it comes in too many passes")
        image.draft("RGB", (SHRUNK, SHRUNK))
    if isinstance(image, ImageFile.ImageFile) and image.width * image.height > MAX_SLOW_PIXELS and _is_slow(image):
        raise Damaged("it takes too long to be decoded")
    halvings = 0
    if isinstance(image, Jpeg2KImagePlugin.Jpeg2KImageFile):
        image.reduce = halvings = _halvings(image.size, file)
    size = (image.width >> halvings, image.height >> halvings)
    if not fits(image.format or "", size, coefficients):
        raise Damaged(TOO_LARGE)
    try:
        image.load()
    except MemoryError as error:
        raise Damaged(TOO_LARGE) from error


def _is_slow(image: ImageFile.ImageFile) -> bool:
    """Whether its decoder is one that Pillow implements in Python."""
    return any(tile[0] in Image.DECODERS for tile in image.tile)


def _halvings(size: tuple[int, int], file: BinaryIO) -> int:
    """How many times a JPEG 2000 can be halved by not decoding its finest resolutions: as often as its first tile
    allows, which is stored in its coding style marker (ISO/IEC 15444-1, A.6.1: COD, the sixth byte after its
    length)."""
    file.seek(0)
    _, mark, style = file.read(JPEG_2000_HEAD).partition(b"\xff\x52\x00")
    allowed = style[6] if mark and len(style) > 6 else 0
    return max(0, min(allowed, (min(size) // SHRUNK).bit_length() - 1))


def fits(format_: str, size: tuple[int, int], more_bytes: int = 0) -> bool:
    """Whether a picture of this format (Pillow's name) can be decoded in the available memory."""
    return size[0] * size[1] * BYTES_OF_A_PIXEL.get(format_, PILLOWS_BYTES) + more_bytes <= room()


def room() -> int:
    """How many bytes a picture may use while it is decoded."""
    soft, _ = resource.getrlimit(resource.RLIMIT_AS)
    limit = UNLIMITED_BYTES if soft == resource.RLIM_INFINITY else soft
    return max(0, limit - OWN_BYTES)
