"""A kind of task that no recipe knows goes through one, to the served model."""

import json

import pytest

from keras_distill import export
from recipes.tinybert.__main__ import main
from tests.ordinal_task import OrdinalTask
from tests.recipes.conftest import BAD
from tests.recipes.conftest import GOOD

tf = pytest.importorskip("tensorflow")


@pytest.mark.usefixtures("eager", "untimed")
def test_classes_in_order_are_distilled(tmp_path, make_classifier):
    folder = tmp_path / "stars"
    folder.mkdir()
    rows = [*((text, 3) for text in GOOD), *((text, 1) for text in BAD)]
    rows.append(("the plot of the film", 2))
    lines = ["text,label", *(f"{text},{stars}" for text, stars in rows)]
    for name in ("train", "dev"):
        (folder / f"{name}.csv").write_text("\n".join(lines) + "\n")
    teacher = make_classifier(num_layers=1, num_classes=3)
    export.to_preset(teacher, tmp_path / "teacher", ["1", "2", "3"])
    run = tmp_path / "run"

    done = main(
        [
            *("--data", str(folder), "--kind", OrdinalTask.kind),
            *("--teacher", str(tmp_path / "teacher"), "--run-dir", str(run)),
            *("--student", "1x8x2", "--embeddings", "teacher"),
            *("--intermediate-epochs", "0", "--prediction-epochs", "1"),
            *("--batch-size", "16", "--sequence-length", "16"),
            "--allow-untrained-teacher",
        ]
    )

    assert done == 0
    comparison = json.loads((run / "report.json").read_text())["comparison"]
    assert comparison["kind"] == "ordinal"
    names = [row["name"] for row in comparison["rows"]]
    assert names == ["teacher", "baseline", "student"]
    for row in comparison["rows"]:
        assert list(row["metrics"]) == ["within_one", "weighted_kappa"]
    served = tf.saved_model.load(str(run / "serving" / "1"))
    answer = served.signatures["serving_default"](text=tf.constant(GOOD))
    expected = answer["expected"].numpy()
    labels = [int(label) for label in answer["label"].numpy()]
    assert labels == (expected.round() + 1).astype(int).tolist()
