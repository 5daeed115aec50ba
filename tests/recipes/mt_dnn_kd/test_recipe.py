"""The recipe from the command line, and what it leaves."""

import keras_hub
import numpy as np
import pytest

from keras_distill import models
from keras_distill import teachers
from recipes.mt_dnn_kd.__main__ import main

pytestmark = pytest.mark.slow


def test_what_a_run_leaves(run_dir, found):
    stages = list(found["stages"])
    # The better member is tuned first.
    stages[2:4] = sorted(stages[2:4])
    assert stages == [
        *("member-1", "member-2", "member-1-rte", "member-2-rte"),
        *("single-rte", "single-sst2", "multi", "student"),
        *("student-rte", "student-sst2"),
    ]
    assert list(found["scores"]["rte"]) == [
        *("single", "multi", "ensemble", "student", "tuned"),
    ]
    assert list(found["scores"]["sst2"]) == [
        *("single", "multi", "student", "tuned"),
    ]
    assert {path.split("/")[-2] for path in found["members"]["rte"]} == {
        "member-1",
        "member-2",
    }
    history = found["stages"]["student"]["history"]
    assert "rte/logits_loss" in history
    assert not any("sst2/logits" in name for name in history)
    table = (run_dir / "results.md").read_text()
    assert "| tasks with soft labels |" in table
    assert "| tasks without soft labels |" in table


def test_each_member_reads_its_own_tokens(run_dir):
    cache = teachers.TeacherCache(run_dir / "soft_labels/rte")
    assert cache.label_names == ("entailment", "not_entailment")
    assert len(cache) == 8
    for name, lowercase, layers in (
        ("member-1", True, 2),
        ("member-2", False, 1),
    ):
        member = teachers.load_teacher(
            run_dir / "members" / name / "rte", None, 16
        ).classifier
        assert isinstance(member, models.StochasticAnswerClassifier)
        assert member.preprocessor.tokenizer.lowercase == lowercase
        assert member.backbone.num_layers == layers


def test_the_student_is_served_by_task(run_dir):
    tf = pytest.importorskip("tensorflow")
    served = tf.saved_model.load(str(run_dir / "serving/1"))
    assert {"rte", "sst2", "serving_default"} <= set(served.signatures)
    alone = keras_hub.models.TextClassifier.from_preset(
        str(run_dir / "student/sst2")
    )
    texts = ["a great film", "a dull film"]
    ours = tf.nn.softmax(alone(alone.preprocessor(texts), training=False))
    answer = served.signatures["sst2"](sentence=tf.constant(texts))
    np.testing.assert_allclose(answer["probabilities"], ours, atol=1e-5)


def test_a_finished_run_is_taken_as_it_is(run_dir, arguments, capsys):
    before = {
        path: path.stat().st_mtime
        for path in run_dir.glob("stages/*/student.safetensors")
    }
    assert main(arguments(run_dir, student_tuning_epochs=1)) == 0
    assert before == {path: path.stat().st_mtime for path in before}
    assert "| member-1 |" in capsys.readouterr().out
