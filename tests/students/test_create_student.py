import pathlib
import re

import keras
import keras_hub
import numpy as np
import pytest

from keras_distill import layer_map
from keras_distill import models
from keras_distill import students

PAGE = pathlib.Path(__file__).parents[2] / "docs" / "students.md"
TEXTS = ["a good film", "the plot is bad and the ending is dull"]


def words_of(backbone):
    return np.array(backbone.token_embedding.embeddings)


def test_backbone_gives_a_backbone_of_the_preset(make_backbone):
    teacher = make_backbone(num_segments=3, dropout=0.3)
    student = students.create_student(teacher, "bert_3l_132d", name="small")
    assert type(student) is keras_hub.models.BertBackbone
    assert student.name == "small"
    config = student.get_config()
    for word, value in {
        "vocabulary_size": 40,
        "num_layers": 3,
        "num_heads": 12,
        "hidden_dim": 132,
        "intermediate_dim": 528,
        "dropout": 0.3,
        "max_sequence_length": 20,
        "num_segments": 3,
    }.items():
        assert config[word] == value


def test_classifier_gives_a_classifier(make_classifier, answers):
    teacher = make_classifier(num_layers=1, num_classes=5, dropout=0.2)
    student = students.create_student(teacher, num_layers=2, hidden_dim=8)
    assert type(student) is keras_hub.models.BertTextClassifier
    assert student.preprocessor is teacher.preprocessor
    assert student.num_classes == 5
    assert student.activation is teacher.activation
    assert student.dropout == 0.2
    assert student.backbone.num_layers == 2
    assert student.backbone.num_heads == 2
    assert student.backbone.intermediate_dim == 32
    assert answers(student, TEXTS).shape == (2, 5)


def test_activation_and_dropout(make_classifier, answers):
    plain = make_classifier(num_layers=1)
    teacher = keras_hub.models.BertTextClassifier(
        plain.backbone,
        num_classes=2,
        preprocessor=plain.preprocessor,
        activation="softmax",
    )
    student = students.create_student(teacher, num_layers=1, dropout=0.4)
    assert student.activation is keras.activations.softmax
    assert student.dropout == 0.4
    assert student.backbone.dropout == 0.4
    np.testing.assert_allclose(
        answers(student, TEXTS).sum(axis=1), [1.0, 1.0], rtol=1e-6
    )


def test_intermediate_dim_is_the_teachers_at_its_width(make_backbone):
    teacher = make_backbone(intermediate_dim=24)
    same = students.create_student(teacher, num_layers=1)
    narrow = students.create_student(teacher, hidden_dim=6)
    given = students.create_student(teacher, hidden_dim=6, intermediate_dim=7)
    wider = students.create_student(teacher, hidden_dim=8)
    assert wider.intermediate_dim == 32
    assert same.intermediate_dim == 24
    assert narrow.intermediate_dim == 24
    assert narrow.hidden_dim == 6
    assert given.intermediate_dim == 7


def test_a_narrow_student_of_bert_base_has_4_times_its_own_width():
    """Not BERT's 3072, as the official code of XtremeDistil has it."""
    with keras.StatelessScope():
        teacher = keras_hub.models.BertBackbone(
            vocabulary_size=40,
            num_layers=1,
            num_heads=12,
            hidden_dim=768,
            intermediate_dim=3072,
            max_sequence_length=8,
        )
        student = students.create_student(teacher, hidden_dim=384)
    assert student.intermediate_dim == 1536


def test_the_teacher_does_not_change(make_classifier, randomize, values):
    teacher = randomize(make_classifier(num_layers=2))
    before = values(teacher)
    student = students.create_student(
        teacher, num_layers=1, embeddings="teacher", layers="teacher"
    )
    for weight in student.weights:
        weight.assign(weight + 1.0)
    for value, weight in zip(before, teacher.weights, strict=True):
        np.testing.assert_array_equal(weight, value)


def test_frozen_or_half_precision_teacher_has_a_trainable_student(
    make_backbone,
):
    teacher = make_backbone(dtype="bfloat16")
    teacher.trainable = False
    student = students.create_student(teacher, num_layers=1)
    assert student.dtype_policy.name == "float32"
    assert len(student.trainable_variables) == len(student.weights) > 0


def test_quantized_teacher_has_a_plain_student(make_backbone):
    teacher = make_backbone()
    teacher.quantize("int8", filters="token_embedding")
    student = students.create_student(teacher, num_layers=1)
    assert {weight.dtype for weight in student.weights} == {"float32"}


@pytest.mark.parametrize(
    "cls",
    [
        keras_hub.models.RobertaBackbone,
        keras_hub.models.XLMRobertaBackbone,
        keras_hub.models.DistilBertBackbone,
        keras_hub.models.ElectraBackbone,
    ],
)
def test_other_families(cls, make_backbone, randomize):
    teacher = randomize(make_backbone(cls))
    narrow = students.create_student(
        teacher, hidden_dim=8, embeddings="teacher"
    )
    shallow = students.create_student(
        teacher, num_layers=1, embeddings="teacher", layers="teacher"
    )
    assert type(narrow) is type(shallow) is cls
    assert words_of(narrow).shape == (40, 8)
    np.testing.assert_array_equal(words_of(shallow), words_of(teacher))
    np.testing.assert_array_equal(
        shallow.transformer_layers[0].get_weights()[0],
        teacher.transformer_layers[1].get_weights()[0],
    )


def test_electra_with_narrow_tables_keeps_them(make_backbone, randomize):
    cls = keras_hub.models.ElectraBackbone
    teacher = randomize(make_backbone(cls, embedding_dim=8))
    student = students.create_student(
        teacher, hidden_dim=12, embeddings="teacher"
    )
    assert student.embedding_dim == 8
    np.testing.assert_array_equal(words_of(student), words_of(teacher))


def test_electra_with_tables_of_a_given_width(make_backbone, randomize):
    teacher = randomize(make_backbone(keras_hub.models.ElectraBackbone))
    student = students.create_student(
        teacher, hidden_dim=12, embedding_dim=6, embeddings="teacher"
    )
    assert type(student) is keras_hub.models.ElectraBackbone
    assert words_of(student).shape == (40, 6)
    assert student.hidden_dim == 12


def test_words_kept_factorized(make_classifier, randomize):
    teacher = randomize(make_classifier(num_layers=1, num_classes=5))
    student = students.create_student(
        teacher, "bert_3l_132d", embedding_dim=6, dropout=0.3
    )
    assert type(student) is models.FactorizedBertTextClassifier
    assert student.preprocessor is teacher.preprocessor
    assert student.num_classes == 5
    backbone = student.backbone
    assert type(backbone) is models.FactorizedBertBackbone
    assert words_of(backbone).shape == (teacher.backbone.vocabulary_size, 6)
    assert (backbone.num_layers, backbone.hidden_dim) == (3, 132)
    assert backbone.dropout == student.dropout == 0.3
    assert backbone.max_sequence_length == teacher.backbone.max_sequence_length


def test_a_factorized_teacher_has_factorized_students(make_backbone, randomize):
    teacher = students.create_student(make_backbone(), embedding_dim=6)
    randomize(teacher).token_embedding.trainable = False
    student = students.create_student(
        teacher, num_layers=1, embeddings="teacher", layers="teacher"
    )
    assert type(student) is models.FactorizedBertBackbone
    assert student.token_embedding.trainable
    np.testing.assert_array_equal(words_of(student), words_of(teacher))
    np.testing.assert_array_equal(
        student.token_projection.kernel, teacher.token_projection.kernel
    )


@pytest.mark.parametrize("head_width, expected", [(None, 6), (9, 9)])
def test_hidden_layer_of_the_head(head_width, expected, make_backbone):
    teacher = keras_hub.models.DistilBertTextClassifier(
        make_backbone(keras_hub.models.DistilBertBackbone),
        num_classes=2,
        hidden_dim=head_width,
    )
    student = students.create_student(teacher, hidden_dim=6)
    assert student.pooled_dense.units == expected
    assert student.preprocessor is None


def test_narrow_student_starts_from_the_svd(make_classifier, randomize):
    teacher = randomize(make_classifier(num_layers=1))
    student = students.create_student(
        teacher, hidden_dim=6, embeddings="teacher"
    )
    twin = students.create_student(teacher, hidden_dim=6)
    students.factorize_embeddings(teacher, twin)
    np.testing.assert_array_equal(
        words_of(student.backbone), words_of(twin.backbone)
    )
    gamma, beta = student.backbone.embeddings_layer_norm.get_weights()
    assert (gamma == 1.0).all() and (beta == 0.0).all()


def test_random_start_takes_nothing_over(make_backbone, randomize):
    teacher = randomize(make_backbone())
    student = students.create_student(teacher, num_layers=2)
    for ours, theirs in zip(student.weights, teacher.weights, strict=True):
        assert not np.array_equal(ours, theirs)


def test_layers_start_from_the_map(make_backbone, randomize):
    teacher = randomize(make_backbone(num_layers=4))
    student = students.create_student(
        teacher, num_layers=2, layers="teacher", layer_map=layer_map.first
    )
    for ours, theirs in zip(
        student.transformer_layers,
        teacher.transformer_layers[:2],
        strict=True,
    ):
        for weight, twin in zip(ours.weights, theirs.weights, strict=True):
            np.testing.assert_array_equal(weight, twin)
    assert not np.array_equal(words_of(student), words_of(teacher))


def test_saved_student_loads_without_the_teacher(
    make_classifier, randomize, answers, tmp_path
):
    teacher = randomize(make_classifier(num_layers=1))
    student = students.create_student(
        teacher, num_layers=2, hidden_dim=6, embeddings="teacher"
    )
    expected = answers(student, TEXTS)
    student.save(tmp_path / "student.keras")
    del student, teacher
    loaded = keras.models.load_model(tmp_path / "student.keras", compile=False)
    assert type(loaded) is keras_hub.models.BertTextClassifier
    np.testing.assert_array_equal(answers(loaded, TEXTS), expected)


@pytest.mark.parametrize(
    "words, message",
    [
        (dict(), "Give either `preset` or at least one of `num_layers`"),
        (
            dict(preset="bert_3l_132d", num_layers=3),
            re.escape("preset='bert_3l_132d', sizes={'num_layers': 3}"),
        ),
        (dict(preset="bert_tiny"), "one of 'tinybert_4l_312d', 'tinybert"),
        (dict(hidden_dim=7), "multiple of `num_heads`"),
        (dict(num_layers=0), "`num_layers` must be an int of 1 or more"),
        (
            dict(num_layers=1, embeddings="svd"),
            "`embeddings` must be one of 'random', 'teacher'",
        ),
        (
            dict(num_layers=1, layers="copy"),
            "`layers` must be one of 'random', 'teacher'",
        ),
        (
            dict(num_layers=1, layer_map=layer_map.first),
            'it needs layers="teacher"',
        ),
        (
            dict(hidden_dim=32, embeddings="teacher"),
            "must be at most as wide as the teacher",
        ),
        (
            dict(num_layers=3, layers="teacher"),
            "3 student layers and 2 teacher layers",
        ),
        (dict(hidden_dim=8, layers="teacher"), "Cannot copy student layer 1"),
        (dict(num_heads=4, layers="teacher"), "Cannot copy student layer 1"),
    ],
)
def test_what_cannot_be_built(words, message, plain_backbone):
    with pytest.raises(ValueError, match=message):
        students.create_student(plain_backbone, **words)


def test_families_whose_words_cannot_be_factorized(make_backbone):
    teacher = make_backbone(keras_hub.models.RobertaBackbone)
    with pytest.raises(ValueError, match="RobertaBackbone and embedding_dim=4"):
        students.create_student(teacher, embedding_dim=4)


def test_teachers_that_are_not_bert_like(make_backbone):
    with pytest.raises(ValueError, match="Received: Functional"):
        inputs = keras.Input((2,))
        students.create_student(keras.Model(inputs, inputs), num_layers=1)
    f_net = keras_hub.models.FNetBackbone(
        vocabulary_size=10, num_layers=1, hidden_dim=4, intermediate_dim=8
    )
    with pytest.raises(
        ValueError, match="FNetBackbone, which takes no num_heads"
    ):
        students.create_student(f_net, num_layers=1)


def test_the_example_of_the_page_runs(capsys):
    example, *_ = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.S)
    exec(compile(example, PAGE.name, "exec"), {})
    assert "embeddings 384 -> 132 by truncated SVD" in capsys.readouterr().out


def test_the_table_of_the_page_names_every_preset():
    rows = re.findall(r"^\| `(\w+)` \| (\d+) x (\d+) ", PAGE.read_text(), re.M)
    assert rows == [
        (name, str(size.num_layers), str(size.hidden_dim))
        for name, size in students.PRESETS.items()
    ]
