"""Making room without removing anything."""

import os


def set_aside(path):
    """Renames a file or a folder to `<path>-earlier-1`, or `-2`, ...

    Args:
        path: `pathlib.Path` of what is there.

    Returns:
        `pathlib.Path`. What it is called now.
    """
    # Of a folder given as "." the name is not in the path.
    path = path.absolute() if not path.name else path
    number = 1
    while True:
        aside = path.with_name(f"{path.name}-earlier-{number}")
        if not aside.exists():
            break
        number += 1
    os.rename(path, aside)
    return aside
