"""GLUE's table: values, averages and shares worked out by hand."""

import json

import pytest

from keras_distill import evaluation


def scores(teacher, baseline, student, *metrics):
    rows = {"teacher": teacher, "baseline": baseline, "student": student}
    return {
        model: {metric: value for metric in metrics}
        for model, value in rows.items()
    }


@pytest.fixture
def table():
    return evaluation.GlueTable(
        {
            "wnli": scores(0.5, 0.4, 0.45, "accuracy"),
            # The metric that selects is not always the paper's.
            "mrpc": {
                model: {"accuracy": 0.1, **found}
                for model, found in scores(0.8, 0.6, 0.72, "f1").items()
            },
            "mnli": scores(
                0.9, 0.5, 0.72, "accuracy", "accuracy_dev_mismatched"
            ),
            "cola": scores(0.0, 0.1, 0.3, "matthews"),
        }
    )


def test_columns_of_the_paper_and_their_average(table):
    header, rows = table.cells()
    assert header == [
        *("dev split", "MNLI-m", "MNLI-mm", "QQP", "QNLI", "SST-2", "CoLA"),
        *("STS-B", "MRPC", "RTE", "average of 4 of 9", "WNLI"),
    ]
    nothing = "–"
    assert rows == [
        ["teacher, × 100", "90.0", "90.0", *[nothing] * 3, "0.0"]
        + [nothing, "80.0", nothing, "65.0", "50.0"],
        ["baseline, × 100", "50.0", "50.0", *[nothing] * 3, "10.0"]
        + [nothing, "60.0", nothing, "42.5", "40.0"],
        ["student, × 100", "72.0", "72.0", *[nothing] * 3, "30.0"]
        + [nothing, "72.0", nothing, "61.5", "45.0"],
        ["baseline, % of the teacher", "55.6", "55.6", *[nothing] * 5]
        + ["75.0", nothing, "65.4", "80.0"],
        # Of a teacher that knows nothing there is no share.
        ["student, % of the teacher", "80.0", "80.0", *[nothing] * 5]
        + ["90.0", nothing, "94.6", "90.0"],
    ]
    assert table.missing == ("QQP", "QNLI", "SST-2", "STS-B", "RTE")


def test_a_model_that_lacks_a_column_has_no_average():
    table = evaluation.GlueTable(
        {
            "rte": {"teacher": {"accuracy": 0.5}, "student": {"accuracy": 1}},
            "qnli": {"teacher": {"accuracy": 0.5}},
        }
    )
    assert table.average("teacher") == 0.5
    assert table.average("student") is None
    assert table.share("student") is None
    assert table.share("student", "RTE") == 2


def test_the_report(table, tmp_path):
    page = evaluation.write_glue_report(
        tmp_path,
        table,
        title="GLUE & more",
        command="python -m mine --task glue",
        seeds=[3],
        config={"seed": 3},
        timings={"wnli": 61.0},
        notes=["A note."],
    )
    text = page.read_text()
    assert "<h1>GLUE &amp; more</h1>" in text
    assert '<th scope="col">average of 4 of 9</th>' in text
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["verdict"] == (
        "Over 4 columns of GLUE the student keeps 94.6% of the teacher's "
        "average and stands 19.0 points above the same student trained "
        "without a teacher."
    )
    found = {row["name"]: row for row in report["glue"]["rows"]}
    assert found["student"]["average"] == pytest.approx(0.615)
    assert found["student"]["scores"]["MRPC"] == 0.72
    assert found["student"]["shares"]["CoLA"] is None
    assert report["glue"]["averaged"] == ["MNLI-m", "MNLI-mm", "CoLA", "MRPC"]
    markdown = (tmp_path / "report.md").read_text()
    assert table.to_markdown() in markdown
    assert "- wnli: 1\N{NO-BREAK SPACE}min" in markdown
    assert "- A note." in markdown
