"""Every line is kept; people see what matters."""

from __future__ import annotations

from pathlib import Path

import pytest

from cli.up.supervision.component_log import KEPT, ComponentLog, RotatedFile, readable


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ('{"event":"ready","level":"info"}', None),
        (
            '{"event":"root lost","level":"warning","root":"films","timestamp":"x","logger":"y","component":"z"}',
            "warning: root lost root=films",
        ),
        ('{"event":"no disk","level":"error"}', "error: no disk"),
        ('{"event":"Unable connect to node","level":"error","logger":"aiokafka"}', None),
        ('{"event":"Group Coordinator Request failed","level":"error","logger":"aiokafka.consumer.x"}', None),
        ("Traceback (most recent call last):", "Traceback (most recent call last):"),
        ("", None),
        ("[1, 2]", "[1, 2]"),
    ],
)
def test_a_line_is_shown_when_it_is_a_warning_or_no_log_line(line: str, shown: str | None) -> None:
    assert readable(line) == shown


def test_a_full_file_is_put_aside_and_the_oldest_goes(tmp_path: Path) -> None:
    file = RotatedFile(tmp_path / "x.log", max_bytes=10)
    for number in range(KEPT + 3):
        file.write(f"line {number}\n".encode())
    names = ["x.log", *(f"x.log.{n}" for n in range(1, KEPT + 1))]
    assert sorted(path.name for path in tmp_path.iterdir()) == names
    assert (tmp_path / "x.log").read_text() == f"line {KEPT + 2}\n"


def test_lines_that_cannot_be_kept_are_reported_as_lost_once_and_nothing_stops(tmp_path: Path) -> None:
    shown: list[str] = []
    log = ComponentLog("serve", RotatedFile(tmp_path / "absent" / "x.log"), ours=False, show=shown.append)
    log.take(b"one\n")
    log.take(b"two\n")
    assert len(shown) == 1
    assert shown[0].startswith("serve: log lines are lost")
    assert log.last_error() == "two"


def words(tmp_path: Path, *lines: str) -> str:
    log = ComponentLog("kafka", RotatedFile(tmp_path / "x.log"), ours=False, show=lambda _line: None)
    log.take(b"ERROR of a former life\n")
    log.begin_run()
    for line in lines:
        log.take(f"{line}\n".encode())
    return log.last_error()


def test_the_last_error_is_the_fault_and_not_a_stack_frame(tmp_path: Path) -> None:
    java = ("Caused by: java.io.IOException: No space left on device", "\tat kafka.Kafka.main(Kafka.scala)", "")
    assert words(tmp_path, "[2026-11-24] ERROR shutdown (kafka.Kafka)", *java) == java[0]
    fatal = "2026-11-24 UTC [7] FATAL:  could not write lock file: No space left on device"
    assert words(tmp_path, fatal, "2026-11-24 UTC [7] LOG:  database system is shut down") == fatal


def test_last_words_without_a_fault_are_the_last(tmp_path: Path) -> None:
    assert words(tmp_path, "one", "two", "   ") == "two"
    assert words(tmp_path) == "it printed nothing"
