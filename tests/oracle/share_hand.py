"""Applies steps to a share as another client of it. Which file is which is read on the server's own disk."""

from __future__ import annotations

from pathlib import Path

from tests.oracle.hand import Hand, only_file
from tests.oracle.steps import Step
from tests.support.samba import Client


class ShareHand(Hand):
    """Works on the folder that is the share, through the share."""

    def __init__(self, folder: Path, client: Client) -> None:
        super().__init__(folder)
        self._client = client

    def _at(self, path: Path) -> str:
        return str(path.relative_to(self._folder))

    def _write(self, step: Step, path: Path) -> None:
        made = not path.exists()
        self._client.write(self._at(path), self._bytes(step.number))
        (self.lives.begin if made else self.lives.rewrite)(path)

    def _append(self, step: Step, path: Path) -> None:
        only_file(path)
        self._client.append(self._at(path), self._bytes(step.number))
        self.lives.rewrite(path)

    def _truncate(self, step: Step, path: Path) -> None:
        only_file(path)
        self.lives.rewrite(path)
        self._client.truncate(self._at(path), step.number)

    def _touch(self, step: Step, path: Path) -> None:
        if not path.is_dir():
            self.lives.rewrite(path)
        self._client.set_mtime(self._at(path), 1_600_000_000_000_000_000 + step.number)

    def _retag(self, _: Step, path: Path) -> None:
        only_file(path)
        self.lives.rewrite(path)
        before = path.stat()
        self._client.overwrite(self._at(path), self._bytes(before.st_size))
        self._client.set_mtime(self._at(path), before.st_mtime_ns)

    def _mkdir(self, _: Step, path: Path) -> None:
        self._client.mkdir(self._at(path))

    def _fill(self, step: Step, path: Path) -> None:
        self._client.mkdir(self._at(path))
        self._client.mkdir(self._at(path / "in"))
        for number in range(step.number % 5 + 1):
            self._client.write(self._at(path / f"f{number}"), self._bytes(10 + number))
            self._client.write(self._at(path / "in" / f"g{number}"), self._bytes(20 + number))
        self.lives.begin(path)

    def _rmdir(self, _: Step, path: Path) -> None:
        self._client.rmdir(self._at(path))

    def _rmtree(self, _: Step, path: Path) -> None:
        self._client.rmtree(self._at(path))

    def _unlink(self, _: Step, path: Path) -> None:
        self._client.remove(self._at(path))

    def _rename(self, step: Step, path: Path) -> None:
        self._going(step, path)
        self._client.replace(self._at(path), step.other)

    def _copy(self, step: Step, path: Path) -> None:
        only_file(path)
        target = self._folder / step.other
        self._client.write(step.other, path.read_bytes())
        self.lives.begin(target)

    def _clone(self, step: Step, path: Path) -> None:
        self._copy(step, path)
        self._client.set_mtime(step.other, path.stat().st_mtime_ns)
