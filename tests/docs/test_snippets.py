"""Every piece of Python in the documentation runs.

A block of Markdown that needs what a test cannot have stands under
`<!-- not run: reason -->`.
"""

import ast
import doctest
import importlib
import pathlib
import pkgutil
import re
import textwrap

import keras
import pytest

import keras_distill

pytestmark = pytest.mark.docs

ROOT = pathlib.Path(__file__).parents[2]
BLOCK = re.compile(
    r"(?P<skip><!-- not run:[^>]*-->\s*)?^```python\n(?P<code>.*?)^```",
    re.DOTALL | re.MULTILINE,
)


def markdown_files():
    # The README stands on what `make demo` leaves; see test_readme.py.
    return sorted((ROOT / "docs").glob("*.md"))


def modules():
    """All modules of the package that the backend in use can import."""
    backend = keras.backend.backend()
    others = {"tensorflow", "jax", "torch"} - {backend}
    for found in pkgutil.walk_packages(
        keras_distill.__path__, f"{keras_distill.__name__}."
    ):
        if found.name.rpartition(".")[2] not in others:
            yield importlib.import_module(found.name)


def docstrings(module):
    """The docstrings of a module's source, each with its first line."""
    tree = ast.parse(pathlib.Path(module.__file__).read_text())
    kinds = (ast.Module, ast.ClassDef, ast.FunctionDef)
    for node in ast.walk(tree):
        if isinstance(node, kinds) and ast.get_docstring(node):
            constant = node.body[0].value
            # Source lines, so that line numbers are those of the file.
            first, *others = constant.value.splitlines()
            others = textwrap.dedent("\n".join(others))
            yield f"{first}\n{others}\n", constant.lineno


def blocks(text, path, first_line=1):
    """The blocks of Python in a text, as parameters of a test."""
    for match in BLOCK.finditer(text):
        line = first_line + text.count("\n", 0, match.start("code"))
        marks = []
        if match["skip"]:
            marks.append(pytest.mark.skip(reason=match["skip"].strip()))
        name = path.relative_to(ROOT)
        yield pytest.param(
            path, line, match["code"], id=f"{name}:{line}", marks=marks
        )


def all_blocks():
    for path in markdown_files():
        yield from blocks(path.read_text(), path)
    for module in modules():
        for docstring, line in docstrings(module):
            yield from blocks(docstring, pathlib.Path(module.__file__), line)


def all_doctests():
    finder = doctest.DocTestFinder(exclude_empty=True)
    for module in modules():
        for found in finder.find(module):
            if found.examples:
                yield pytest.param(found, id=found.name)


@pytest.mark.parametrize("path, line, code", all_blocks())
def test_block_runs(path, line, code, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    # Empty lines first, so that an error shows its line in the file.
    lines = "\n" * (line - 1) + code
    exec(compile(lines, str(path), "exec"), {"__name__": "snippet"})


@pytest.mark.parametrize("example", all_doctests())
def test_example_shows_what_it_gives(example, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    report = []
    doctest.DocTestRunner().run(example, out=report.append)
    assert not report, "".join(report)
