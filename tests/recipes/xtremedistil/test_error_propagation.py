"""What of a layer's error came from below, on tiny models."""

import json

import numpy as np
import pytest

from keras_distill import export
from keras_distill import tasks
from recipes.xtremedistil import error_propagation


@pytest.fixture
def examples(tokenizer):
    generator = np.random.default_rng(3)
    words = tokenizer.get_vocabulary()[5:]
    texts = [" ".join(generator.choice(words, 8)) for _ in range(60)]
    rows = tasks.Examples((texts,))
    return tasks.TokenizedExamples(rows, tokenizer, sequence_length=10)


def test_a_copy_of_the_teacher_has_no_error(make_classifier, examples):
    teacher, student = make_classifier(), make_classifier()
    student.set_weights(teacher.get_weights())
    found = error_propagation.layer_errors(teacher, student, examples, examples)
    assert [layer["layer"] for layer in found] == [1, 2, 3, 4]
    for layer in found:
        for kind in ("error", "error_of_its_own", "from_below"):
            assert abs(layer[kind]) < 1e-4


def test_a_layer_is_not_to_blame_for_those_below(make_classifier, examples):
    teacher, student = make_classifier(), make_classifier()
    student.set_weights(teacher.get_weights())
    # All words are one to the student: what it makes of them is the same.
    words = student.backbone.token_embedding.embeddings
    words.assign(np.ones(words.shape))
    found = error_propagation.layer_errors(teacher, student, examples, examples)
    # Nothing of a single word is left to any layer.
    assert all(layer["error"] > 0.3 for layer in found)

    student.set_weights(teacher.get_weights())
    # The first layer alone is spoilt.
    weights = student.backbone.transformer_layers[0]
    generator = np.random.default_rng(5)
    weights.set_weights(
        [
            generator.normal(0, 1, weight.shape).astype("float32")
            for weight in weights.get_weights()
        ]
    )
    first, second, *_ = error_propagation.layer_errors(
        teacher, student, examples, examples
    )
    assert abs(first["from_below"]) < 1e-4 < first["error_of_its_own"]
    assert second["from_below"] > 0


def test_end_to_end_and_once_more(glue_dir, make_classifier, tmp_path, capsys):
    export.to_preset(make_classifier(num_layers=2), tmp_path / "teacher")
    arguments = [
        *("--source", "sst2", "--glue-dir", str(glue_dir)),
        *("--teacher", str(tmp_path / "teacher"), "--student", "2x8x2"),
        *("--representation-epochs", "2", "--batch-size", "4"),
        *("--sequence-length", "16", "--run-dir", str(tmp_path / "run")),
    ]
    assert error_propagation.main(arguments) == 0
    shown = capsys.readouterr().out
    path = tmp_path / "run" / "error_propagation.md"
    table = path.read_text()
    assert table.strip() in shown
    found = json.loads(path.with_suffix(".json").read_text())
    for way in (error_propagation.JOINT, error_propagation.PROGRESSIVE):
        assert [layer["layer"] for layer in found[way]] == [1, 2]
        assert all(
            np.isfinite(list(layer.values())).all() for layer in found[way]
        )
    assert (
        found[error_propagation.JOINT] != found[error_propagation.PROGRESSIVE]
    )

    assert error_propagation.main(arguments) == 0
    assert "is done, its weights are reused" in capsys.readouterr().out
    assert path.read_text() == table


def test_shares_that_leave_no_steps_are_refused(glue_dir, tmp_path, capsys):
    arguments = [
        *("--source", "sst2", "--glue-dir", str(glue_dir)),
        *("--layer-share", "1", "--run-dir", str(tmp_path / "run")),
    ]
    assert error_propagation.main(arguments) == 2
    assert "--layer-share must be a number above 0" in capsys.readouterr().err


def test_fewer_steps_than_layers_are_refused(
    glue_dir, make_classifier, tmp_path, capsys
):
    export.to_preset(make_classifier(num_layers=2), tmp_path / "teacher")
    arguments = [
        *("--source", "sst2", "--glue-dir", str(glue_dir)),
        *("--teacher", str(tmp_path / "teacher"), "--student", "2x8x2"),
        *("--representation-epochs", "2", "--batch-size", "1000"),
        *("--sequence-length", "16", "--run-dir", str(tmp_path / "run")),
    ]
    assert error_propagation.main(arguments) == 2
    shown = capsys.readouterr().err
    assert "2 steps in all of --representation-epochs 2" in shown
    assert "2 layers of --student 2x8x2" in shown
