"""Paths as users give them, and files that are whole or not there."""

import contextlib
import errno
import os
import pathlib

# Starts the name of a file that is not finished.
UNFINISHED = ".new-"


def local_path(path):
    """A path on this machine, with the user's home for `~`.

    Args:
        path: str or path, as a user gave it.

    Returns:
        `pathlib.Path`.

    Raises:
        ValueError: If it is an address such as `"gs://..."`, or the home of
            nobody.
    """
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
    """Where what is written to a path lies: links are followed.

    Args:
        path: str or path, as a user gave it. Nothing needs to be there.

    Returns:
        `pathlib.Path`, absolute.
    """
    return pathlib.Path(os.path.realpath(local_path(path)))


def make_folder(path):
    """Makes a folder where there is none; a link is followed.

    Args:
        path: Path of the folder.
    """
    real_path(path).mkdir(parents=True, exist_ok=True)


def check_names_free(folder, names, owner):
    """Raises if a folder that is not ours yet holds what we shall write.

    Args:
        folder: `pathlib.Path`.
        names: Sequence of str, the files and folders that will be written.
        owner: str. What would be theirs, for the message: `"run"`.

    Raises:
        ValueError: If one of them is there.
    """
    there = [name for name in names if os.path.lexists(folder / name)]
    if there:
        raise ValueError(
            f"{str(folder)!r} holds {there[0]}, but no {owner} that was begun "
            f"here, and a {owner} writes a file or folder of this name. Choose "
            "another folder."
        )


def set_aside(path):
    """Renames a file or a folder to `<path>-earlier-1`, or `-2`, ...

    Of a link, what it leads to is renamed, and a new folder takes its place.

    Args:
        path: `pathlib.Path` of what is there.

    Returns:
        `pathlib.Path`. What it is called now.
    """
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
    """A temporary file that takes the place of `path` when the block succeeds.

    It lies beside `path` and is on the disk before it is renamed, so that
    whatever happens, a full disk or a lost power supply, `path` is what it
    was or what it shall be.

    Args:
        path: Path of the file to make or to replace. `~` is the user's home,
            and a link is followed.

    Yields:
        `pathlib.Path` of the file to write, with the same ending as `path`.

    Example:

    ```python
    from keras_distill.io.saving import replaced_file

    with replaced_file("numbers.txt") as file:
        file.write_text("1 2 3")
    ```
    """
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
    """Writes a text file, whole or not at all.

    Args:
        path: Path of the file.
        text: str.
    """
    with replaced_file(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


@contextlib.contextmanager
def whole_file(path, ending, overwrite=True):
    """Where Keras is to write a file, so that it is there whole or not at all.

    Whatever is no such file on this machine's disks (a folder, a bucket), or
    is not to be overwritten, is left to Keras's own way, with the user's home
    for `~`.

    Args:
        path: Path of the file to make or to replace.
        ending: str. What the names of such files end in.
        overwrite: bool. Whether a file that is there is replaced unasked.

    Yields:
        Path to give to Keras.
    """
    name = os.path.expanduser(str(path))
    is_file = name.endswith(ending) and not os.path.isdir(name)
    if not overwrite or not is_file or "://" in name:
        yield name
        return
    with replaced_file(name) as temporary:
        yield temporary


def flush_to_disk(path):
    """Waits until a file, or the list of a folder's files, is on the disk.

    Args:
        path: Path of the file or folder.
    """
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
