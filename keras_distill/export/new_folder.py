"""Puts a finished folder into place, and knows again what it put there."""

import contextlib
import dataclasses
import json
import os
import pathlib
import shutil
import tempfile

from keras_distill.io.hashes import file_hash
from keras_distill.io.json_file import write_json
from keras_distill.io.saving import flush_to_disk
from keras_distill.io.saving import real_path

# Which files of a folder are ours, by name and content.
MANIFEST = ".keras_distill.json"


@dataclasses.dataclass(frozen=True)
class FolderFormat:
    """What a kind of folder consists of.

    Attributes:
        name: str. What such a folder is called.
        first: str. The file by which a reader finds all others. It goes first
            and comes last, so that nobody reads half a folder.
        parts: tuple of str. Patterns of the files that belong together. Where
            a folder is overwritten, none of another one's may stay.
        spared: tuple of str. Files that are the user's if they are there.
    """

    name: str
    first: str
    parts: tuple
    spared: tuple = ()


@contextlib.contextmanager
def new_folder(path, folder_format, overwrite=False):
    """An empty folder whose files take their place when the block succeeds.

    What stands at `path` stays whole until then, and comes back if the block
    or a rename fails. Of a folder that was written so before, the files of
    then are replaced; whoever else's file is in it stays.

    Args:
        path: Path of the folder to make or to fill. `~` is the user's home,
            and a link is followed.
        folder_format: `FolderFormat`.
        overwrite: bool. Whether a folder that was not written so before is
            written to, and files of the same names are replaced. Defaults to
            `False`.

    Yields:
        `pathlib.Path` of the folder to fill.

    Raises:
        ValueError: If `path` is a file, or holds what may not be replaced.
    """
    path = real_path(path)
    earlier = _EarlierFolder(path, folder_format, overwrite)
    if path.is_dir():
        # Inside, so that no other folder must be writable.
        place, prefix = path, ".new-"
    else:
        path.parent.mkdir(parents=True, exist_ok=True)
        place, prefix = path.parent, f".{path.name}."
    scratch = pathlib.Path(tempfile.mkdtemp(prefix=prefix, dir=place))
    try:
        fresh = scratch / "fresh"
        fresh.mkdir()
        yield fresh
        hashes = {}
        for name in _files(fresh):
            flush_to_disk(fresh / name)
            hashes[name] = [file_hash(fresh / name)]
        if place is path:
            earlier.replace(fresh, hashes, scratch / "earlier")
        else:
            _write_manifest(fresh, folder_format, hashes)
            os.rename(fresh, path)
    except _NotPutBack as error:
        raise OSError(
            f"{error}. The files that were there are in {scratch / 'earlier'}."
        ) from error
    except BaseException:
        shutil.rmtree(scratch, ignore_errors=True)
        raise
    shutil.rmtree(scratch, ignore_errors=True)


class _NotPutBack(Exception):
    """Neither the new files nor the earlier ones are all in place."""


class _EarlierFolder:
    """What stands at a path, and which of it may be replaced."""

    def __init__(self, path, folder_format, overwrite):
        self._path = path
        self._format = folder_format
        self._overwrite = overwrite
        _check_is_folder(path)
        self._hashes = self._read_manifest()
        self._own = {
            name
            for name, hashes in (self._hashes or {}).items()
            # Nobody's manifest reaches out of its folder.
            if ".." not in pathlib.PurePosixPath(name).parts
            and not name.startswith("/")
            and (path / name).is_file()
            and file_hash(path / name) in hashes
        }
        if overwrite:
            self._own |= self._parts()
        else:
            self._check()

    def replace(self, fresh, hashes, aside):
        """Moves what is ours aside and the new files in.

        Args:
            fresh: `pathlib.Path` of the folder with the new files.
            hashes: dict of the name of each to a list with its hash.
            aside: `pathlib.Path` of a folder for what is replaced.
        """
        kept = {
            name
            for name in self._format.spared
            if name not in self._own and os.path.lexists(self._path / name)
        }
        hashes = {k: v for k, v in hashes.items() if k not in kept}
        there = {n for n in hashes if os.path.lexists(self._path / n)}
        self._check_in_the_way(there)
        last = self._format.first
        moves = [
            (self._path / name, aside / name)
            for name in sorted(self._own | there, key=lambda x: x != last)
        ] + [
            (fresh / name, self._path / name)
            for name in sorted(hashes, key=lambda x: x == last)
        ]
        # Whenever we are killed, all that lies here is known as ours.
        known = {
            name: [*(self._hashes or {}).get(name, ()), *hashes.get(name, ())]
            for name in {*(self._hashes or ()), *hashes}
        }
        _write_manifest(self._path, self._format, known)
        try:
            _move(moves)
        except _NotPutBack:
            raise
        except BaseException:
            if self._hashes is None:
                (self._path / MANIFEST).unlink()
            else:
                _write_manifest(self._path, self._format, self._hashes)
            raise
        _write_manifest(self._path, self._format, hashes)
        _remove_empty(self._path, self._own)

    def _read_manifest(self):
        """The hashes of the files that were written, or `None`."""
        try:
            content = json.loads((self._path / MANIFEST).read_bytes())
            name, hashes = content["format"], dict(content["files"])
        # Whatever it is, it is not what we wrote.
        except (OSError, ValueError, LookupError, TypeError, RecursionError):
            return None
        if name != self._format.name:
            raise ValueError(
                f"`path` holds a {name}, where a {self._format.name} is to be "
                f"written. Choose another folder. Received: {self._path}"
            )
        return hashes

    def _parts(self):
        return {
            found.relative_to(self._path).as_posix()
            for pattern in self._format.parts
            for found in self._path.glob(pattern)
            if not found.is_dir()
        }

    def _check(self):
        """Raises if there is what we did not write."""
        if not self._path.exists():
            return
        if self._hashes is None:
            found = [
                file.name
                for file in self._path.iterdir()
                # What a system, an editor or Git keeps there is no content.
                if not file.name.startswith(".")
            ]
            if found:
                self._refuse(found, "was not written by this function")
        changed = self._parts() - self._own
        if changed:
            self._refuse(changed, "was changed or put there since")

    def _check_in_the_way(self, there):
        """Raises if a file cannot take the place of what has its name."""
        folders = [n for n in there if (self._path / n).is_dir()]
        if folders:
            raise ValueError(
                f"`path` holds a folder where the file {folders[0]} is to be "
                f"written. Choose another one. Received: {self._path}"
            )
        if not self._overwrite and there - self._own:
            self._refuse(there - self._own, "was not written by this function")

    def _refuse(self, names, why):
        names = sorted(names)
        more = f" and {len(names) - 3} more" if len(names) > 3 else ""
        raise ValueError(
            f"`path` holds {', '.join(names[:3])}{more}, which {why}. Choose "
            "another folder, or pass overwrite=True: it replaces files of the "
            f"{self._format.name} and leaves all others. Received: "
            f"{self._path}"
        )


def _check_is_folder(path):
    for folder in (path, *path.parents):
        if folder.is_dir():
            return
        if folder.exists():
            raise ValueError(
                f"`path` must be a folder. Received: {path}"
                f"{'' if folder == path else f', where {folder}'} is a file."
            )


def _move(moves):
    """Renames files, all of them or none."""
    done = []
    try:
        for source, target in moves:
            target.parent.mkdir(parents=True, exist_ok=True)
            os.rename(source, target)
            done.append((source, target))
    except BaseException as error:
        try:
            for source, target in reversed(done):
                os.rename(target, source)
        # A second Ctrl-C as well.
        except BaseException as second:
            raise _NotPutBack(f"{error!r}, and then {second!r}") from second
        raise


def _remove_empty(path, names):
    """Removes the folders that only the files of these names were in."""
    folders = {path / parent for name in names for parent in _parents(name)}
    for folder in sorted(folders, reverse=True):
        # Whoever else has a file there keeps it.
        with contextlib.suppress(OSError):
            folder.rmdir()


def _parents(name):
    return list(pathlib.PurePosixPath(name).parents)[:-1]


def _files(folder):
    """The files of a folder, by their names below it."""
    return sorted(
        file.relative_to(folder).as_posix()
        for file in folder.rglob("*")
        if file.is_file()
    )


def _write_manifest(folder, folder_format, hashes):
    files = dict(sorted(hashes.items()))
    write_json(
        folder / MANIFEST, {"files": files, "format": folder_format.name}
    )
