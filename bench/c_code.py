"""C code that a measurement needs: compiled when it starts, so only the measuring machine needs a C compiler."""

from __future__ import annotations

import ctypes
import subprocess
import tempfile
from pathlib import Path


def compiled(source: str) -> ctypes.CDLL:
    """The library made of a source. Raises OSError or CalledProcessError without a compiler."""
    with tempfile.TemporaryDirectory(prefix="catalogizer-bench-") as folder:
        code, library = Path(folder) / "code.c", Path(folder) / "code.so"
        code.write_text(source)
        subprocess.run(["cc", "-O2", "-shared", "-fPIC", "-o", str(library), str(code)], check=True)
        return ctypes.CDLL(str(library))
