"""How the students of a study are ranked, compared and drawn."""

import math

import numpy as np
import pytest

from recipes.xtremedistil import ranking
from recipes.xtremedistil.ranking import Scored
from recipes.xtremedistil.ranking import rank

START = "no distillation"
SMALL, BIG = "1x8x2", "2x8x2"


def scored(name, source, student, *scores):
    results = [
        {
            "target": target,
            "metric": "accuracy",
            "models": {"any": {"accuracy": score, "f1": 0.0}},
        }
        for target, score in zip(("rte", "cola"), scores, strict=False)
    ]
    return Scored(name, source, student, results)


@pytest.fixture
def one_size():
    return rank(
        [
            scored(START, START, SMALL, 0.5, math.nan),
            scored("mnli", "mnli", SMALL, 0.7, 0.2),
            scored("sst2", "sst2", SMALL, 0.6, 0.4),
        ],
        START,
    )


@pytest.fixture
def two_sizes():
    return rank(
        [
            scored(f"{START}, {SMALL}", START, SMALL, 0.5, 0.1),
            scored(f"{START}, {BIG}", START, BIG, 0.8, 0.3),
            scored(f"mnli, {SMALL}", "mnli", SMALL, 0.6, 0.1),
            scored(f"mnli, {BIG}", "mnli", BIG, 0.8, 0.5),
            scored(f"sst2, {SMALL}", "sst2", SMALL, 0.4, 0.1),
            scored(f"sst2, {BIG}", "sst2", BIG, 1.0, 0.3),
        ],
        START,
    )


def test_the_best_on_average_comes_first(one_size):
    names = [row["name"] for row in one_size["rows"]]
    assert names == ["sst2", "mnli", START]
    assert one_size["targets"] == ["rte", "cola"]
    assert [row["mean"] for row in one_size["rows"]] == pytest.approx(
        [0.5, 0.45, 0.25]
    )
    assert one_size["rows"][2]["scores"] == [0.5, None]
    assert [row["is_start"] for row in one_size["rows"]] == [False, False, True]


def test_what_is_no_number_counts_as_0_in_gains(one_size):
    gains = {row["name"]: row["gains"] for row in one_size["rows"]}
    assert gains["mnli"] == pytest.approx([0.2, 0.2, 0.2])
    assert gains["sst2"] == pytest.approx([0.1, 0.4, 0.25])
    assert gains[START] == [0.0, 0.0, 0.0]


def test_each_is_compared_with_its_own_size(two_sizes):
    gains = {row["name"]: row["gains"] for row in two_sizes["rows"]}
    # 60 after 50, although the mean of both sizes is 65 without.
    assert gains[f"mnli, {SMALL}"] == pytest.approx([0.1, 0.0, 0.05])
    assert gains[f"mnli, {BIG}"] == pytest.approx([0.0, 0.2, 0.1])
    assert gains[f"sst2, {SMALL}"] == pytest.approx([-0.1, 0.0, -0.05])
    for size in (SMALL, BIG):
        assert gains[f"{START}, {size}"] == [0.0, 0.0, 0.0]


def test_a_source_is_the_average_of_its_rows(two_sizes):
    averages = two_sizes["sources"]
    assert [row["name"] for row in averages] == ["mnli", "sst2", START]
    assert [row["mean"] for row in averages] == pytest.approx(
        [0.5, 0.45, 0.425]
    )
    assert averages[0]["scores"] == pytest.approx([0.7, 0.3])
    assert averages[0]["gains"] == pytest.approx([0.05, 0.1, 0.075])
    assert averages[1]["gains"] == pytest.approx([0.05, 0.0, 0.025])


def test_a_source_of_two_transfer_sets_has_an_average():
    found = rank(
        [
            scored(START, START, SMALL, 0.5),
            scored("mnli, own", "mnli", SMALL, 0.6),
            scored("mnli, wiki", "mnli", SMALL, 0.8),
        ],
        START,
    )
    mnli, start = found["sources"]
    assert mnli["scores"] == pytest.approx([0.7])
    assert mnli["gains"] == pytest.approx([0.2, 0.2])
    assert (start["name"], start["scores"]) == (START, [0.5])


def test_there_is_no_average_of_single_rows(one_size):
    assert one_size["sources"] == []
    assert "average" not in ranking.to_markdown(one_size)


def test_the_table(one_size):
    assert ranking.to_markdown(one_size).splitlines() == [
        "| dev split, × 100 | rte, accuracy | cola, accuracy | mean |",
        "| --- | ---: | ---: | ---: |",
        "| 1. sst2 | 60.0 | 40.0 | 50.0 |",
        "| 2. mnli | 70.0 | 20.0 | 45.0 |",
        f"| 3. {START} | 50.0 | – | 25.0 |",
    ]


def test_the_table_of_averages(two_sizes):
    assert ranking.to_markdown(two_sizes).splitlines()[8:] == [
        "",
        "| average per source | rte, accuracy | cola, accuracy | mean |",
        "| --- | ---: | ---: | ---: |",
        "| 1. mnli | 70.0 | 30.0 | 50.0 |",
        "| 2. sst2 | 70.0 | 20.0 | 45.0 |",
        f"| 3. {START} | 65.0 | 20.0 | 42.5 |",
    ]


def test_colours_are_points_above_the_same_size(two_sizes):
    (axes, _) = ranking.figure_of(two_sizes).axes
    names = [label.get_text() for label in axes.get_yticklabels()]
    assert names[6:] == ["average: mnli", "average: sst2", f"average: {START}"]
    (image,) = axes.images
    colours = dict(zip(names, np.array(image.get_array()), strict=True))
    np.testing.assert_allclose(
        colours[f"mnli, {SMALL}"], [10, 0, 5], atol=1e-12
    )
    np.testing.assert_allclose(
        colours["average: mnli"], [5, 10, 7.5], atol=1e-12
    )
    # Numbers are the scores, row by row.
    numbers = [text.get_text() for text in axes.texts]
    place = names.index(f"mnli, {SMALL}")
    assert numbers[3 * place : 3 * place + 3] == ["60.0", "10.0", "35.0"]
    assert numbers[-3:] == ["65.0", "20.0", "42.5"]


def test_the_picture_is_one_file(one_size, tmp_path):
    ranking.draw(one_size, tmp_path / "map.png")
    assert (tmp_path / "map.png").read_bytes().startswith(b"\x89PNG")
    assert [path.name for path in tmp_path.iterdir()] == ["map.png"]
