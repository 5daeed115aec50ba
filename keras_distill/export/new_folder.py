"""Puts a finished folder into place, whole or not at all."""

import contextlib
import os
import pathlib
import tempfile


@contextlib.contextmanager
def new_folder(path):
    """An empty folder that takes the place of `path` when the block succeeds.

    It is a hidden sibling until then, on the same disk, so that a rename is
    enough. If the block or the rename fails, what stood at `path` stays and
    the sibling goes.

    Args:
        path: `pathlib.Path` of the folder to make or to replace.

    Yields:
        `pathlib.Path` of the folder to fill.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(
        prefix=f".{path.name}.", dir=path.parent
    ) as scratch:
        fresh = pathlib.Path(scratch) / "fresh"
        earlier = pathlib.Path(scratch) / "earlier"
        fresh.mkdir()
        yield fresh
        if path.exists():
            os.rename(path, earlier)
        try:
            os.rename(fresh, path)
        except OSError:
            if earlier.exists():
                os.rename(earlier, path)
            raise
