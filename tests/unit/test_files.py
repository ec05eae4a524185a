"""Writing where that is not possible: no permission, no folder, no space."""

from __future__ import annotations

import os
import pickle
import resource
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from seqviz.checkpoints import write_checkpoint
from seqviz.errors import WriteError
from seqviz.files import check_writable, write_atomically, write_file
from seqviz.length_bleu import LengthBleu, write_length_bleu
from tests.helpers import write_tiny_checkpoint

NOBODY = 65534

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="permissions as on Unix are needed")


@pytest.fixture
def closed() -> Iterator[Path]:
    """A folder that everybody may read and nobody may write, with the file ``old``."""
    with tempfile.TemporaryDirectory() as folder:  # pytest's own folders are closed to others altogether
        path = Path(folder)
        (path / "old").write_bytes(b"old")
        path.chmod(0o555)
        yield path
        path.chmod(0o755)


def without_rights(call: Callable[[], object]) -> str:
    """What a call says that is refused, in a process that is not root's."""
    receiving, sending = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            if os.geteuid() == 0:
                os.setgroups([])
                os.setgid(NOBODY)
                os.setuid(NOBODY)
            call()
            said: object = None
        except BaseException as error:  # noqa: BLE001 (whatever it is, the test compares it)
            said = (type(error).__name__, str(error))
        os.write(sending, pickle.dumps(said))
        os._exit(0)
    os.close(sending)
    with os.fdopen(receiving, "rb") as pipe:
        said = pickle.loads(pipe.read())
    os.waitpid(child, 0)
    assert isinstance(said, tuple), "it was written"
    kind, sentence = said
    assert kind == "WriteError", said
    return sentence


def test_a_file_in_a_folder_without_permission_is_one_sentence(closed: Path) -> None:
    path = closed / "picture.svg"
    assert without_rights(lambda: write_file(path, b"x")) == f"{path} cannot be written: Permission denied."
    assert without_rights(lambda: write_atomically(path, b"x")) == f"{path} cannot be written: Permission denied."
    assert [file.name for file in closed.iterdir()] == ["old"]


def test_a_file_of_somebody_else_stays_as_it_is(closed: Path) -> None:
    path = closed / "old"
    path.chmod(0o444)
    assert without_rights(lambda: write_file(path, b"new")) == f"{path} cannot be written: Permission denied."
    assert path.read_bytes() == b"old"


def test_long_work_is_refused_beforehand_where_its_result_could_not_be_kept(closed: Path) -> None:
    for folder in (closed, closed / "runs" / "tiny"):
        assert without_rights(lambda f=folder: check_writable(f)) == f"{folder} cannot be written: Permission denied."


def test_a_checkpoint_without_permission_is_one_sentence(closed: Path) -> None:
    def checkpoint() -> None:
        write_checkpoint("tiny", description={}, weights=b"", tokenizer="", card="", root=closed)

    assert without_rights(checkpoint) == f"{closed / 'tiny'} cannot be written: Permission denied."
    assert [file.name for file in closed.iterdir()] == ["old"]


def test_measured_figures_without_permission_are_one_sentence(closed: Path) -> None:
    found = LengthBleu(
        model=".", data="a.tsv", beam_size=1, resamples=10, seed=1, signature="", weights="", bins=()
    )  # fmt: skip
    said = without_rights(lambda: write_length_bleu(found, closed))
    assert said == f"{closed / 'bleu_by_length.json'} cannot be written: Permission denied."


@pytest.mark.parametrize("write", [write_file, write_atomically])
def test_a_path_below_a_file_is_one_sentence(tmp_path: Path, write: Callable[[Path, bytes], None]) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(WriteError) as caught:
        write(tmp_path / "file" / "x.svg", b"x")
    assert str(caught.value) == f"{tmp_path / 'file' / 'x.svg'} cannot be written: Not a directory."
    with pytest.raises(WriteError, match="Not a directory"):
        check_writable(tmp_path / "file" / "runs")


def test_a_checkpoint_that_the_disk_has_no_room_for_leaves_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write_tiny_checkpoint(tmp_path, name="tiny")
    before = {file.name: file.read_bytes() for file in folder.iterdir()}

    def full(self: Path, content: bytes) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(WriteError) as caught:
        write_tiny_checkpoint(tmp_path, name="tiny", seed=2)
    assert str(caught.value) == f"{folder} cannot be written: No space left on device."
    assert {file.name: file.read_bytes() for file in folder.iterdir()} == before
    assert [path.name for path in tmp_path.iterdir()] == ["tiny"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the system has no /dev/full")
def test_a_full_disk_is_one_sentence_and_a_device_is_left_alone() -> None:
    with pytest.raises(WriteError) as caught:
        write_file(Path("/dev/full"), b"x")
    assert str(caught.value) == "/dev/full cannot be written: No space left on device."
    assert Path("/dev/full").is_char_device()


def test_what_was_written_only_in_part_does_not_stay(closed: Path) -> None:
    def limited() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
        write_file(closed / "large.html", bytes(2000))

    closed.chmod(0o777)
    assert without_rights(limited) == f"{closed / 'large.html'} cannot be written: File too large."
    assert [file.name for file in closed.iterdir()] == ["old"]


def test_a_file_is_whole_or_old_when_writing_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "state"
    write_atomically(path, b"old")

    def fails(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fails)
    with pytest.raises(WriteError) as caught:
        write_atomically(path, b"new and longer")
    assert str(caught.value) == f"{path} cannot be written: No space left on device."
    assert [(p.name, p.read_bytes()) for p in tmp_path.iterdir()] == [("state", b"old")]


def test_a_file_written_atomically_leaves_nothing_beside_it(tmp_path: Path) -> None:
    write_atomically(tmp_path / "state", b"one")
    write_atomically(tmp_path / "state", b"two")
    assert [(p.name, p.read_bytes()) for p in tmp_path.iterdir()] == [("state", b"two")]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the system has no /dev/full")
@pytest.mark.parametrize("command", [["models"], ["models", "--json"], ["--version"]])
def test_a_command_whose_output_has_no_room_says_so_in_one_line(tmp_path: Path, command: list[str]) -> None:
    write_tiny_checkpoint(tmp_path, name="tiny")
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "seqviz.cli", *command],
            env={**os.environ, "SEQVIZ_CHECKPOINTS": str(tmp_path)},
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
            check=False,
        )
    assert done.stderr == "seqviz: The standard output cannot be written: No space left on device.\n"
    assert done.returncode == 2
