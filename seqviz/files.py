"""Files and folders, with a sentence where they cannot be written or read."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from seqviz.errors import CheckpointError, WriteError


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turns the system's word on what cannot be written into a WriteError that names the path.

    Raises:
        WriteError: something inside the block raised an OSError.
    """
    try:
        yield
    except OSError as error:
        raise WriteError("{path} cannot be written: {reason}.", path=path, reason=reason_of(error)) from error


def reason_of(error: OSError) -> str:
    """What the system says of a file, without its number and the path."""
    return error.strerror or str(error)


def subfolders(folder: Path) -> list[Path]:
    """The folders in a folder of models by name, but for hidden ones; none where it is missing.

    Raises:
        CheckpointError: it cannot be read.
    """
    try:
        return [path for path in sorted(folder.iterdir()) if not path.name.startswith(".") and path.is_dir()]
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise CheckpointError(
            "The folder {path} cannot be read: {reason}.", path=folder, reason=reason_of(error)
        ) from error


def write_file(path: Path, data: bytes) -> None:
    """Writes a file that a person named; it may be a device. What could be written only in part is removed.

    Raises:
        WriteError: it cannot be written.
    """
    with writing(path), path.open("wb") as file:
        try:
            file.write(data)
            file.flush()
        except OSError:
            if path.is_file():
                path.unlink()
            raise


def write_atomically(path: Path, data: bytes) -> None:
    """Writes a file so that it is there whole or not at all, also after a crash.

    Raises:
        WriteError: it cannot be written; what was there before is still there.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    with writing(path):
        try:
            with temporary.open("wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        except OSError:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)
            raise


def check_writable(folder: Path) -> None:
    """Makes a folder and tries a file in it: before long work whose result goes there.

    Raises:
        WriteError: the folder cannot be made, or takes no file.
    """
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
