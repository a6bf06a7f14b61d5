"""Which form of the page's files a client gets, by its Accept-Encoding."""

from __future__ import annotations

import asyncio
import gzip
from pathlib import Path

import httpx
import pytest

from gateway.rest.page import WebPage, takes_gzip

SCRIPT = b"export const words = 'many times the same';\n" * 200


@pytest.mark.parametrize(
    ("accepted", "takes"),
    [
        ("gzip", True), ("gzip, deflate, br, zstd", True), ("br;q=1.0, GZIP;q=0.4", True), ("x-gzip", True), ("*", True),
        ("", False), ("identity", False), ("br", False), ("gzip;q=0", False), ("*, gzip;q=0", False), ("*;q=0", False),
        ("gzip;q=no", False), ("gzip;q=0.0, *", False),
    ],
)  # fmt: skip
def test_what_a_client_accepts(accepted: str, takes: bool) -> None:
    assert takes_gzip(accepted) is takes


def test_each_form_has_an_entity_tag_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("<!doctype html>")
    (tmp_path / "app.js").write_bytes(SCRIPT)

    async def main() -> None:
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(WebPage(tmp_path)), base_url="http://page"
        ) as client:
            packed = await client.get("/app.js", headers={"Accept-Encoding": "gzip"})
            plain = await client.get("/app.js", headers={"Accept-Encoding": "identity"})
            assert packed.content == plain.content == SCRIPT  # the client unpacks by Content-Encoding
            assert int(packed.headers["Content-Length"]) == len(gzip.compress(SCRIPT, mtime=0)) < len(SCRIPT) / 10
            assert "Content-Encoding" not in plain.headers
            assert packed.headers["Vary"] == plain.headers["Vary"] == "Accept-Encoding"
            for taken, known, status in (
                ("gzip", packed, 304),
                ("identity", plain, 304),
                ("identity", packed, 200),
            ):
                headers = {"Accept-Encoding": taken, "If-None-Match": known.headers["ETag"]}
                assert (await client.get("/app.js", headers=headers)).status_code == status

    asyncio.run(main())
