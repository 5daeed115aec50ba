"""The rooms of the package stand on floors: no import runs up."""

import ast
import pathlib

import pytest

import keras_distill

# From the ground up; rooms of one line do not know each other.
FLOORS = [
    {"checks", "io", "keras_patches"},
    {"layer_map", "losses.functional"},
    {"features"},
    {"packing"},
    {"data", "serving"},
    {"models"},
    {"losses"},
    {"teachers", "students"},
    {"train_steps", "fitting"},
    {"optimizers"},
    {"callbacks"},
    {"distiller"},
    {"multi_task_distiller"},
    {"corpora"},
    {"tasks"},
    {"stages"},
    {"export"},
    {"evaluation"},
    {"testing"},
]
# Files that are a room of their own.
LOOSE = ("distiller", "keras_patches", "layer_map", "multi_task_distiller")
ROOT = pathlib.Path(keras_distill.__file__).parent
FLOOR_OF = {room: i for i, rooms in enumerate(FLOORS) for room in rooms}


def room_of(module):
    """The room of a module, by its name below `keras_distill`."""
    if module == "losses.functional":
        return module
    return module.partition(".")[0]


def imports_of(path):
    """The modules of the package that a file imports, below its name."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level == 0:
            if node.module == "keras_distill":
                yield from (name.name for name in node.names)
            elif (node.module or "").startswith("keras_distill."):
                yield node.module.removeprefix("keras_distill.")


FILES = [path for path in sorted(ROOT.rglob("*.py")) if path.parent != ROOT]
FILES += [ROOT / f"{name}.py" for name in LOOSE]


def test_every_file_has_a_room():
    loose = {path.stem for path in ROOT.glob("*.py")} - {"__init__"}

    assert loose == set(LOOSE)
    assert {room_of(_module(path)) for path in FILES} == set(FLOOR_OF)


@pytest.mark.parametrize("floor", range(len(FLOORS)))
def test_no_import_runs_up(floor):
    found = [
        f"{path.relative_to(ROOT)} imports {module}"
        for path in FILES
        if FLOOR_OF[room_of(_module(path))] == floor
        for module in imports_of(path)
        if room_of(module) != room_of(_module(path))
        and FLOOR_OF[room_of(module)] >= floor
    ]

    assert not found


def _module(path):
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts)
