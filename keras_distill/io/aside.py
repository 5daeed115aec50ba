"""Making room without removing anything."""

import os


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
