"""A folder is filled whole or not at all, and nobody's work is lost."""

import json
import os
import pathlib

import pytest

from keras_distill.export.new_folder import MANIFEST
from keras_distill.export.new_folder import FolderFormat
from keras_distill.export.new_folder import new_folder

FORMAT = FolderFormat(
    "model", first="model", parts=("model", "head"), spared=("README.md",)
)


def write(path, overwrite=False, folder_format=FORMAT, **files):
    """Writes files, by name without `.md`, as a model."""
    with new_folder(path, folder_format, overwrite) as folder:
        for name, content in files.items():
            file = folder / ("README.md" if name == "README" else name)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(content)


def content(path):
    """What a user sees in a folder."""
    return {
        file.relative_to(path).as_posix(): file.read_text()
        for file in sorted(path.rglob("*"))
        if file.is_file() and file.name != MANIFEST
    }


def test_the_folder_appears_when_the_block_ends(tmp_path):
    path = tmp_path / "serving" / "1"
    with new_folder(path, FORMAT) as folder:
        (folder / "model").write_text("first")
        assert not path.exists()
    assert content(path) == {"model": "first"}
    assert os.listdir(path.parent) == ["1"]


def test_an_empty_folder_is_filled(tmp_path):
    (tmp_path / ".gitkeep").touch()
    write(tmp_path, model="one", README="a card")
    found = {"model": "one", "README.md": "a card", ".gitkeep": ""}
    assert content(tmp_path) == found


def test_what_was_written_before_is_replaced_as_a_whole(tmp_path):
    path = tmp_path / "1"
    write(path, model="first", head="one", **{"assets/words": "a b"})
    write(path, model="second")
    assert content(path) == {"model": "second"}
    assert sorted(os.listdir(path)) == [MANIFEST, "model"]
    assert os.listdir(tmp_path) == ["1"]


@pytest.mark.parametrize("overwrite", [False, True])
def test_notes_beside_it_stay(tmp_path, overwrite):
    path = tmp_path / "1"
    write(path, model="first", **{"assets/words": "a b"})
    (path / "notes.txt").write_text("mine")
    (path / "assets" / "more").write_text("mine")
    write(path, overwrite, model="second", head="new")
    assert content(path) == {
        "model": "second",
        "head": "new",
        "notes.txt": "mine",
        "assets/more": "mine",
    }


def test_a_folder_of_others_is_refused(tmp_path):
    (tmp_path / "thesis.tex").write_text("years")
    (tmp_path / "model").write_text("mine")
    before = content(tmp_path)
    with pytest.raises(ValueError, match="model, thesis.tex, which was not.*"):
        write(tmp_path, model="new")
    assert content(tmp_path) == before
    write(tmp_path, True, model="new")
    assert content(tmp_path) == {"model": "new", "thesis.tex": "years"}
    # From now on it is known.
    write(tmp_path, model="newer")
    assert content(tmp_path) == {"model": "newer", "thesis.tex": "years"}


def test_what_was_changed_since_is_refused(tmp_path):
    write(tmp_path, model="one")
    (tmp_path / "model").write_text("trained for a week")
    with pytest.raises(ValueError, match="model, which was changed"):
        write(tmp_path, model="two")
    assert content(tmp_path) == {"model": "trained for a week"}


def test_a_part_of_another_model_is_refused_and_may_not_stay(tmp_path):
    write(tmp_path, model="one")
    (tmp_path / "head").write_text("of another model")
    with pytest.raises(ValueError, match="head, which was changed or put"):
        write(tmp_path, model="two")
    write(tmp_path, True, model="two")
    assert content(tmp_path) == {"model": "two"}


@pytest.mark.parametrize("overwrite", [False, True])
def test_a_readme_of_the_users_own_stays(tmp_path, overwrite):
    write(tmp_path, model="one", README="our card")
    write(tmp_path, model="two", README="our second card")
    assert content(tmp_path)["README.md"] == "our second card"
    (tmp_path / "README.md").write_text("our second card, and mine")
    write(tmp_path, overwrite, model="three", README="our third card")
    assert content(tmp_path) == {
        "model": "three",
        "README.md": "our second card, and mine",
    }


def test_names_that_meet_are_refused_before_anything_moves(tmp_path):
    write(tmp_path, model="one")
    (tmp_path / "words").write_text("mine")
    with pytest.raises(ValueError, match="words, which was not written"):
        write(tmp_path, model="two", words="ours")
    assert content(tmp_path) == {"model": "one", "words": "mine"}


def test_a_folder_in_a_files_place_stays(tmp_path):
    (tmp_path / "head").mkdir()
    (tmp_path / "head" / "thesis").write_text("years")
    with pytest.raises(ValueError, match="a folder where the file head"):
        write(tmp_path, True, model="new", head="new")
    assert content(tmp_path) == {"head/thesis": "years"}


@pytest.mark.parametrize("below", ["", "deeper/still"])
def test_a_file_is_refused(tmp_path, below):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(ValueError, match="must be a folder"):
        write(tmp_path / "file" / below, True, model="new")
    assert content(tmp_path) == {"file": "mine"}


@pytest.mark.parametrize("is_there", [True, False])
def test_a_link_is_followed(tmp_path, is_there):
    target, link = tmp_path / "disk" / "1", tmp_path / "link"
    if is_there:
        target.mkdir(parents=True)
    link.symlink_to(target)
    write(link, model="one")
    assert link.is_symlink() and content(target) == {"model": "one"}
    write(link, model="two")
    assert link.is_symlink() and content(target) == {"model": "two"}
    assert sorted(os.listdir(tmp_path)) == ["disk", "link"]


def test_a_link_to_a_file_is_refused(tmp_path):
    (tmp_path / "file").write_text("mine")
    (tmp_path / "link").symlink_to("file")
    with pytest.raises(ValueError, match="must be a folder"):
        write(tmp_path / "link", True, model="new")
    assert content(tmp_path)["file"] == "mine"


def test_a_tilde_is_the_home(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    write("~/models/1", model="one")
    assert content(tmp_path / "home" / "models" / "1") == {"model": "one"}
    assert os.listdir(tmp_path) == ["home"]


def test_an_address_is_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match="on this machine.*gs://bucket/1"):
        write("gs://bucket/1", model="one")
    assert not os.listdir(tmp_path)


@pytest.mark.parametrize("is_there", [True, False])
def test_a_failure_leaves_what_was_there_and_no_litter(tmp_path, is_there):
    path = tmp_path / "1"
    if is_there:
        write(path, model="first")
        before = (path / MANIFEST).read_bytes()
    with pytest.raises(OSError, match="No space left"):
        with new_folder(path, FORMAT) as folder:
            (folder / "model").write_text("half of the sec")
            raise OSError(28, "No space left on device")
    assert os.listdir(tmp_path) == (["1"] if is_there else [])
    if is_there:
        assert content(path) == {"model": "first"}
        assert (path / MANIFEST).read_bytes() == before


@pytest.mark.parametrize("failing", range(1, 6))
def test_each_failing_rename_puts_all_back(tmp_path, monkeypatch, failing):
    write(tmp_path, model="first", head="first", old="first")
    before = (tmp_path / MANIFEST).read_bytes()
    (tmp_path / "notes.txt").write_text("mine")
    rename, calls = os.rename, []

    def fail(source, target):
        calls.append(source)
        if len(calls) == failing:
            raise OSError(5, "Input/output error")
        rename(source, target)

    monkeypatch.setattr(os, "rename", fail)
    with pytest.raises(OSError, match="Input/output error"):
        write(tmp_path, model="second", head="second")
    assert (tmp_path / MANIFEST).read_bytes() == before
    assert content(tmp_path) == {
        "model": "first",
        "head": "first",
        "old": "first",
        "notes.txt": "mine",
    }
    assert not list(tmp_path.glob(".new-*"))


def test_what_cannot_be_put_back_is_not_removed(tmp_path, monkeypatch):
    write(tmp_path, model="first", head="first")
    rename, calls = os.rename, []

    def fail(source, target):
        calls.append(source)
        if len(calls) > 2:
            raise OSError(5, "Input/output error")
        rename(source, target)

    monkeypatch.setattr(os, "rename", fail)
    with pytest.raises(OSError, match="files that were there are in") as error:
        write(tmp_path, model="second", head="second")
    aside = pathlib.Path(str(error.value).split(" are in ")[1].rstrip("."))
    assert content(aside) == {"model": "first", "head": "first"}


@pytest.mark.parametrize("killed", range(1, 7))
def test_a_folder_of_one_that_was_killed_is_written_anew(
    tmp_path, monkeypatch, killed
):
    write(tmp_path, model="first", head="first")
    (tmp_path / "notes.txt").write_text("mine")
    rename, calls = os.rename, []

    def kill(source, target):
        calls.append(source)
        if len(calls) >= killed:
            raise KeyboardInterrupt
        rename(source, target)

    with monkeypatch.context() as patch:
        # Neither does it go back, then.
        patch.setattr(os, "rename", kill)
        with pytest.raises((KeyboardInterrupt, OSError)):
            write(tmp_path, model="second", head="second")
            raise KeyboardInterrupt
    write(tmp_path, model="third")
    found = content(tmp_path)
    assert found["model"] == "third" and found["notes.txt"] == "mine"
    assert "head" not in found


def test_the_folder_is_no_model_while_its_files_move(tmp_path, monkeypatch):
    write(tmp_path, model="first", head="first")
    rename, seen = os.rename, []

    def look(source, target):
        rename(source, target)
        seen.append((tmp_path / "model").exists())

    monkeypatch.setattr(os, "rename", look)
    write(tmp_path, model="second", head="second")
    assert seen == [False, False, False, True]


@pytest.mark.parametrize(
    "text", ["{", "[]", '{"format": "model"}', '{"format": 1, "files": 2}']
)
def test_a_manifest_that_is_none_of_ours_makes_nothing_ours(tmp_path, text):
    (tmp_path / "model").write_text("mine")
    (tmp_path / MANIFEST).write_text(text)
    with pytest.raises(ValueError, match="model, which was not written"):
        write(tmp_path, model="new")


def test_a_manifest_reaches_no_other_folder(tmp_path):
    path = tmp_path / "1"
    write(path, model="one")
    (tmp_path / "mine").write_text("one")
    manifest = json.loads((path / MANIFEST).read_text())
    manifest["files"]["../mine"] = manifest["files"]["model"]
    manifest["files"][str(tmp_path / "mine")] = manifest["files"]["model"]
    (path / MANIFEST).write_text(json.dumps(manifest))
    write(path, model="two")
    assert (tmp_path / "mine").read_text() == "one"


def test_a_folder_of_another_format_is_refused(tmp_path):
    write(tmp_path, model="one")
    other = FolderFormat("report", first="page", parts=("page",))
    with pytest.raises(ValueError, match="holds a model, where a report"):
        write(tmp_path, True, other, page="new")
    assert content(tmp_path) == {"model": "one"}


def test_the_folder_may_be_read_by_the_same_users_as_its_siblings(tmp_path):
    sibling = tmp_path / "sibling"
    sibling.mkdir()
    with new_folder(tmp_path / "1", FORMAT):
        pass
    assert (tmp_path / "1").stat().st_mode == sibling.stat().st_mode
