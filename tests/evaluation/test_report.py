import dataclasses
import datetime
import html.parser
import json
import math
import os
import re

import pytest

from keras_distill import evaluation
from keras_distill.evaluation import report as report_module

HISTORIES = {
    "teacher": {"loss": [0.6, 0.3], "val_accuracy": [0.8, 0.9]},
    "student: prediction": {"loss": [0.7, math.nan], "accuracy": [0.5, 0.8]},
}
VOID = {"meta", "link", "br", "hr", "img", "input"}


class Page(html.parser.HTMLParser):
    """Checks that tags nest, and collects what the page holds."""

    def __init__(self, text):
        super().__init__()
        self.open = []
        self.tags = []
        self.attributes = []
        self.cells = []
        self.ids = []
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attrs):
        self.handle_startendtag(tag, attrs)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes.append((tag, dict(attrs)))
        self.ids += [value for name, value in attrs if name == "id"]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] == "td":
            self.cells.append(data)


@pytest.fixture
def write(tmp_path, make_comparison):
    """Writes a report, with any argument replaced; returns its folder."""

    def write_report(comparison=None, **arguments):
        path = evaluation.write_report(
            tmp_path / "run",
            comparison or make_comparison(),
            **{
                "title": "Reviews",
                "histories": {},
                "seeds": [1],
                "command": "python -m recipes.tinybert --task reviews",
                **arguments,
            },
        )
        assert path == tmp_path / "run" / "report.html"
        return path.parent

    return write_report


def read(folder, name="report.html"):
    return (folder / name).read_text(encoding="utf-8")


def test_page_is_sound_and_complete(write):
    text = read(write(histories=HISTORIES))
    page = Page(text)
    assert text.startswith("<!doctype html>")
    assert ("html", {"lang": "en"}) in page.attributes
    assert page.tags.count("h1") == 1
    assert {"90.0", "88.2", "17.0×", "1,708", "20.00"} <= set(page.cells)
    assert "The student keeps 98.0% of the teacher&#x27;s accuracy" in text
    # Two trade-offs, and loss and metric of either stage.
    assert page.tags.count("svg") == 6
    assert len(page.ids) == len(set(page.ids))


def test_page_is_readable_on_a_phone_and_by_a_screen_reader(write):
    page = Page(read(write(timings={"teacher": 61.0}, config={"epochs": 3})))
    found = {
        attributes.get("name"): attributes.get("content")
        for tag, attributes in page.attributes
        if tag == "meta"
    }
    assert found["viewport"] == "width=device-width, initial-scale=1"
    for tag, attributes in page.attributes:
        if tag == "svg":
            assert attributes["role"] == "img" and attributes["aria-label"]
        if tag == "th":
            assert attributes["scope"] in ("col", "row", "rowgroup")
    scrolling = [
        attributes["aria-label"]
        for _, attributes in page.attributes
        if attributes.get("class") == "scroll"
    ]
    assert len(scrolling) == page.tags.count("table")


def test_page_loads_nothing(write):
    text = read(write(histories=HISTORIES))
    page = Page(text)
    assert not {"script", "link", "img", "iframe"} & set(page.tags)
    for _, attributes in page.attributes:
        for name in ("src", "href", "xlink:href", "srcset", "data"):
            assert attributes.get(name, "#").startswith("#")
    assert not re.search(r"url\((?!#)|@import", text)


def test_notes_are_where_their_links_point(write):
    page = Page(read(write()))
    targets = [
        attributes["href"][1:]
        for tag, attributes in page.attributes
        if tag == "a"
    ]
    assert targets and set(targets) <= set(page.ids)


def test_user_text_is_escaped(write, make_comparison):
    evil = "<script>alert('&')</script>"
    folder = write(
        make_comparison(names=(f"teacher{evil}", "baseline", "student")),
        title=f"Title {evil}",
        command=f"run {evil} $title",
        config={f"key{evil}": evil},
        timings={f"stage{evil}": 1.0},
        histories={f"stage{evil}": {f"{evil}_loss": [1.0]}},
        notes=[evil],
    )
    text = read(folder)
    Page(text)
    assert "<script" not in text
    assert "run &lt;script&gt;alert(&#x27;&amp;&#x27;)" in text
    assert "$title" in text


def test_json_round_trip(write, make_comparison):
    comparison = make_comparison()
    folder = write(
        comparison,
        histories=HISTORIES,
        seeds=range(2),
        timings={"teacher": 61.5},
        notes=["a note"],
        date=datetime.datetime(2025, 1, 31, 12, 30),
    )
    found = json.loads(read(folder, "report.json"))
    assert found["comparison"] == comparison.to_dict()
    assert found["seeds"] == [0, 1]
    assert found["timings"] == {"teacher": 61.5}
    assert found["date"] == "2025-01-31 12:30"
    assert found["notes"] == ["a note"]
    assert found["seeds_summary"] is None
    assert found["histories"]["student: prediction"]["loss"] == [0.7, None]
    assert found["versions"]["keras"]


def test_markdown_holds_the_table_and_the_command(write, make_comparison):
    text = read(write(), "report.md")
    assert make_comparison().to_markdown() in text
    assert "```\npython -m recipes.tinybert --task reviews\n```" in text
    assert "1. The task's official metrics" in text


def test_config_may_be_a_dataclass(write):
    @dataclasses.dataclass(frozen=True)
    class Config:
        epochs: int = 6

    folder = write(config=Config())
    assert json.loads(read(folder, "report.json"))["config"] == {"epochs": 6}


def test_seeds_summary_adds_a_table(write, make_comparison):
    summary = [
        make_comparison(accuracies=(0.9, 0.8, accuracy)).to_dict()
        for accuracy in (0.82, 0.84, 0.89)
    ]
    folder = write(seeds_summary=summary)
    assert "85.0 ± 3.6" in Page(read(folder)).cells
    assert "## Over 3 seeds" in read(folder, "report.md")
    rows = json.loads(read(folder, "report.json"))["seeds_summary"]
    assert rows[2]["metrics"]["accuracy"]["mean"] == pytest.approx(0.85)


def test_what_is_not_known_is_a_dash(write, make_comparison):
    comparison = make_comparison(
        accuracies=(0.0, math.nan, 0.5), kept=(None, None, None)
    )
    text = read(write(comparison, baseline=None))
    assert "–" in Page(text).cells
    assert not re.search(r">(nan|None)", text)


def test_a_failing_write_leaves_the_old_report(write, monkeypatch):
    folder = write(title="Old")
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert set(before) == {"report.html", "report.json", "report.md"}

    def full_disk(descriptor):
        if len(list(folder.glob(".new-*"))) == 2:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full_disk)
    with pytest.raises(OSError, match="No space left"):
        write(title="New")
    after = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert after == before


def test_writing_again_replaces(write):
    write(title="Old")
    folder = write(title="New")
    assert "<title>New</title>" in read(folder)
    assert len(list(folder.iterdir())) == 3


def test_bad_arguments(write, tmp_path):
    with pytest.raises(ValueError, match="Received: name='expert'"):
        write(student="expert")
    with pytest.raises(ValueError, match="must be a list with one number"):
        write(histories={"teacher": {"loss": 0.5}})
    assert not (tmp_path / "run").exists()
    (tmp_path / "run").write_text("a file")
    with pytest.raises(ValueError, match="Received a file"):
        write()


@pytest.mark.parametrize("name", ["report.json", "report.html", "report.md"])
def test_another_report_is_refused(write, tmp_path, name):
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / name).write_text('{"verdict": "mine"}')
    (folder / "thesis.tex").write_text("years")
    with pytest.raises(ValueError, match=f"holds {name}, .*overwrite=True"):
        write()
    assert {path.name for path in folder.iterdir()} == {name, "thesis.tex"}
    write(overwrite=True)
    # From now on they are ours.
    write(title="New")
    assert "<title>New</title>" in read(folder)
    assert read(folder, "thesis.tex") == "years"


def test_a_link_is_followed(write, tmp_path):
    folder, page = tmp_path / "run", tmp_path / "disk" / "page.html"
    folder.mkdir()
    (folder / "report.html").symlink_to(page)
    write(overwrite=True)
    assert (folder / "report.html").is_symlink()
    assert page.read_text(encoding="utf-8").startswith("<!doctype html>")


def test_history_is_split_into_losses_and_metrics():
    keys = ["loss", "logits_loss", "accuracy", "val_loss", "learning_rate"]
    assert report_module.split_history(dict.fromkeys(keys)) == {
        "loss": ["loss", "logits_loss", "val_loss"],
        "metric": ["accuracy"],
    }
