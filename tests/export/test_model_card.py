"""The README of a preset is true."""

import os
import re
import subprocess
import sys

import keras
import keras_hub
import numpy as np
import pytest

from keras_distill import export
from keras_distill import models

NAMES = ["no", "so | so\nla la", "yes"]
# Tiny models are not worth a graph.
_EAGERLY = """
if keras.backend.backend() == "tensorflow":
    import tensorflow
    tensorflow.config.run_functions_eagerly(True)
"""


@pytest.fixture
def make_bilstm(tokenizer):
    def make():
        return models.BiLstmTextClassifier(
            models.BiLstmBackbone(
                tokenizer.vocabulary_size(), embedding_dim=4, lstm_dim=3
            ),
            num_classes=3,
            preprocessor=keras_hub.models.BertTextClassifierPreprocessor(
                tokenizer, sequence_length=12
            ),
        )

    return make


@pytest.fixture
def make_factorized(tokenizer):
    def make():
        return models.FactorizedBertTextClassifier(
            models.FactorizedBertBackbone(
                vocabulary_size=tokenizer.vocabulary_size(),
                embedding_dim=4,
                num_layers=1,
                num_heads=2,
                hidden_dim=8,
                intermediate_dim=16,
                max_sequence_length=16,
            ),
            num_classes=3,
            preprocessor=keras_hub.models.BertTextClassifierPreprocessor(
                tokenizer, sequence_length=12
            ),
        )

    return make


def card(path):
    return (path / "README.md").read_text(encoding="utf-8")


def code(path):
    return re.search(r"```python\n(.*?)```", card(path), re.S)[1]


def run(program, folder):
    """Runs a program in a process of its own, as a user in a folder would."""
    package = os.path.dirname(os.path.dirname(export.__file__))
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=folder,
        env={
            **os.environ,
            "PYTHONPATH": os.path.dirname(package),
            "TF_CPP_MIN_LOG_LEVEL": "3",
        },
        capture_output=True,
        text=True,
    )
    assert not done.returncode, done.stderr
    return done.stdout


def test_it_says_what_the_student_is(make_bilstm, tmp_path):
    student = make_bilstm()
    text = card(export.to_preset(student, tmp_path / "films", NAMES))
    assert text.startswith("# films\n\nA text classifier, written by keras_d")
    for row in (
        "| class | BiLstmTextClassifier |",
        f"| words | {student.backbone.vocabulary_size} |",
        f"| parameters | {student.count_params():,} |",
        "| longest text | 12 tokens, at most 512 |",
        "| precision | float32 |",
        r"| outputs | 3: no, so \| so la la, yes |",
    ):
        assert row in text.splitlines()
    assert "`import keras_distill` makes its classes known" in text


def test_only_what_is_needed_is_imported(
    make_classifier, make_bilstm, make_token_classifier, tmp_path
):
    student = make_classifier(num_layers=1)
    hub = card(export.to_preset(student, tmp_path / "hub"))
    assert "import keras_distill" not in hub
    # A tagger's head is ours, what is below it KerasHub's.
    tagger = make_token_classifier(num_layers=1)
    path = export.to_preset(tagger, tmp_path / "tagger")
    assert "keras_distill.models.TokenClassifier.from_preset" in code(path)
    path = export.to_encoder_preset(tagger, tmp_path / "encoder")
    assert "import keras_distill" not in card(path)
    path = export.to_encoder_preset(make_bilstm(), tmp_path / "ours")
    assert "import keras_distill\n" in code(path)


def test_classes_of_others_are_imported_from_where_they_are(
    make_classifier, tmp_path, monkeypatch
):
    @keras.saving.register_keras_serializable("others")
    class Mine(keras_hub.models.BertTextClassifierPreprocessor):
        pass

    monkeypatch.setattr(Mine, "__module__", "others.preprocessors")
    student = make_classifier(num_layers=1)
    student.preprocessor = Mine(student.preprocessor.tokenizer, 16)
    path = export.to_preset(student, tmp_path / "preset")
    assert "import others.preprocessors\n" in code(path)
    assert "known to Keras (Mine)" in card(path)


def test_many_labels_are_read_in_their_file(make_classifier, tmp_path):
    names = [f"label{number}" for number in range(50)]
    student = make_classifier(num_layers=1, num_classes=50)
    text = card(export.to_preset(student, tmp_path / "preset", names))
    assert "label19 and 30 more in labels.json |" in text


def test_it_names_the_precision(make_classifier, tmp_path):
    student = make_classifier(num_layers=1)
    student.preprocessor(["a film"])
    student.backbone.token_embedding.quantize("int8")
    text = card(export.to_preset(student, tmp_path / "preset"))
    assert "| precision | float32 and int8 |" in text


def test_a_readme_of_the_users_own_stays(make_classifier, tmp_path):
    path, student = tmp_path / "preset", make_classifier(num_layers=1)
    export.to_preset(student, path)
    (path / "README.md").write_text("mine")
    export.to_preset(student, path)
    assert card(path) == "mine"
    export.to_preset(student, path, overwrite=True)
    assert card(path) == "mine"


def test_its_code_runs_in_a_new_process(
    make_bilstm,
    make_factorized,
    make_classifier,
    make_token_classifier,
    tmp_path,
):
    """One process for all: what one imports, all the others need as well."""
    makers = {
        "bilstm": make_bilstm,
        "factorized": make_factorized,
        "tagger": lambda: make_token_classifier(num_layers=1),
        "bert": lambda: make_classifier(num_layers=1),
    }
    programs, expected = ["import os", "import keras", _EAGERLY], []
    for name, make in makers.items():
        student = make()
        path = export.to_preset(student, tmp_path / name)
        if not expected:
            # Before anything has imported it, it is told that it is needed.
            alone = code(path).replace("import keras_distill\n", "")
            programs.append(
                f"os.chdir({str(path)!r})\n"
                f"try:\n    exec({alone!r})\n"
                "except Exception as error:\n"
                "    assert 'no class registered' in str(error), error\n"
                "else:\n    raise AssertionError('It was not needed.')"
            )
        programs.append(f"os.chdir({str(path)!r})\n{code(path)}")
        expected.append(
            keras.ops.convert_to_numpy(
                student(student.preprocessor(["A text."]))
            )
        )
        student.save(tmp_path / f"{name}.keras")
        programs.append(
            f"keras.models.load_model('../{name}.keras', compile=False)"
        )
    path = export.to_encoder_preset(make_bilstm(), tmp_path / "encoder")
    programs.append(f"os.chdir({str(path)!r})\n{code(path)}")
    programs.append("print(encoder.name)")
    output = run("\n".join(programs), tmp_path)
    numbers = [
        float(number)
        for number in re.findall(r"-?\d+\.\d*(?:e-?\d+)?", output)
        if "[" in output
    ]
    found = np.concatenate([each.ravel() for each in expected])
    np.testing.assert_allclose(numbers, found, rtol=1e-4, atol=1e-6)
