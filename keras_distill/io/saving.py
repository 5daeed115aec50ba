"""Paths as users give them, and files that are whole or not there."""

import contextlib
import errno
import os
import pathlib

# Starts the name of a file that is not finished.
UNFINISHED = ".new-"


def local_path(path):
    """A path on this machine, with the user's home for `~`."""
    if "://" in str(path):
        raise ValueError(
            "A path must be one on this machine; copy what is elsewhere. "
            f"Received: {str(path)!r}"
        )
    try:
        return pathlib.Path(path).expanduser()
    except RuntimeError as error:
        raise ValueError(f"{error} Received: {str(path)!r}") from error


def real_path(path):
    """Where what is written to a path lies: links are followed."""
    return pathlib.Path(os.path.realpath(local_path(path)))


def make_folder(path):
    """Makes a folder where there is none; a link is followed."""
    real_path(path).mkdir(parents=True, exist_ok=True)


def check_names_free(folder, names, owner):
    """Raises if a folder that is not ours yet holds what we shall write."""
    there = [name for name in names if os.path.lexists(folder / name)]
    if there:
        raise ValueError(
            f"{str(folder)!r} holds {there[0]}, but no {owner} that was begun "
            f"here, and a {owner} writes a file or folder of this name. Choose "
            "another folder."
        )


def set_aside(path):
    """Renames a file or a folder to `<path>-earlier-1`, or `-2`, ..."""
    is_link = path.is_symlink()
    # Of a folder given as "." the name is not in the path either.
    path = path.resolve() if is_link or not path.name else path
    number = 1
    while True:
        aside = path.with_name(f"{path.name}-earlier-{number}")
        if not os.path.lexists(aside):
            break
        number += 1
    os.rename(path, aside)
    if is_link:
        path.mkdir()
    return aside


@contextlib.contextmanager
def replaced_file(path):
    """A temporary file that takes the place of `path` when the block ends."""
    path = real_path(path)
    if path.is_dir():
        raise IsADirectoryError(
            errno.EISDIR, "There is a folder where a file is to be", str(path)
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(UNFINISHED + path.name)
    try:
        yield temporary
        flush_to_disk(temporary)
        os.replace(temporary, path)
        flush_to_disk(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path, text):
    """Writes a text file, whole or not at all."""
    with replaced_file(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


@contextlib.contextmanager
def whole_file(path, ending, overwrite=True):
    """Where Keras writes a file, so that it is there whole or not at all."""
    name = os.path.expanduser(str(path))
    is_file = name.endswith(ending) and not os.path.isdir(name)
    if not overwrite or not is_file or "://" in name:
        yield name
        return
    with replaced_file(name) as temporary:
        yield temporary


def flush_to_disk(path):
    """Waits until a file, or the list of a folder's files, is on the disk."""
    is_folder = os.path.isdir(path)
    if is_folder and not hasattr(os, "O_DIRECTORY"):
        # Windows has no such thing for folders.
        return
    # To write back what others wrote, Windows wants it open for writing.
    descriptor = os.open(path, os.O_RDONLY if is_folder else os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
