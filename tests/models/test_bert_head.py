"""What the head of a BERT reads, and what it makes of it."""

import keras
import keras_hub
import numpy as np
import pytest

from keras_distill import students
from keras_distill import teachers
from keras_distill.export import to_preset
from keras_distill.export import to_saved_model
from keras_distill.features import FeatureExtractor
from keras_distill.models import BertBackbone
from keras_distill.models import BertTextClassifier
from keras_distill.models import FactorizedBertBackbone
from keras_distill.models import FactorizedBertTextClassifier
from keras_distill.models import TokenClassifier
from tests.hugging_face_folder import write_folder

SIZE = dict(
    vocabulary_size=27,
    num_layers=1,
    num_heads=2,
    hidden_dim=8,
    intermediate_dim=16,
    max_sequence_length=16,
)
TEXTS = ["a good film", "the plot is bad and the ending is dull"]
OURS = [
    (BertTextClassifier, BertBackbone, {}),
    (BertTextClassifier, keras_hub.models.BertBackbone, {}),
    (
        FactorizedBertTextClassifier,
        FactorizedBertBackbone,
        {"embedding_dim": 4},
    ),
]


def build(tokenizer, pooling="mean", head="linear", kind=0, **words):
    cls, backbone, more = OURS[kind]
    return cls(
        backbone(**SIZE, **more),
        num_classes=3,
        preprocessor=keras_hub.models.BertTextClassifierPreprocessor(
            tokenizer, sequence_length=16
        ),
        pooling=pooling,
        head=head,
        **words,
    )


def as_array(tensor):
    return keras.ops.convert_to_numpy(tensor)


def by_numpy(model, batch, run):
    """Logits by the definition of each head."""
    outputs = run(model.backbone, batch)
    read = outputs["pooled_output"]
    if model.pooling == "mean":
        states, mask = outputs["sequence_output"], batch["padding_mask"]
        read = np.stack(
            [s[: m.sum()].mean(0) for s, m in zip(states, mask, strict=True)]
        )
    made = np.maximum(read, 0) if model.head == "tinybert" else read
    kernel, bias = model.output_dense.get_weights()
    return read, made @ kernel + bias


@pytest.mark.parametrize(
    "kind, pooling, head",
    [
        (0, "pooler", "tinybert"),
        (0, "mean", "tinybert"),
        (1, "mean", "linear"),
        (2, "mean", "linear"),
    ],
)
def test_logits_and_what_is_pooled(
    kind, pooling, head, tokenizer, randomize, run, token_batch
):
    model = randomize(build(tokenizer, pooling, head, kind))
    read, logits = by_numpy(model, token_batch, run)
    np.testing.assert_allclose(run(model, token_batch), logits, atol=1e-5)
    found = run(FeatureExtractor(model, ["pooled", "logits"]), token_batch)
    np.testing.assert_allclose(found["pooled"], read, atol=1e-5)
    np.testing.assert_allclose(found["logits"], logits, atol=1e-5)


def test_by_default_it_is_kerashubs(tokenizer, run, token_batch):
    """The same draws at the same seed, so the same weights and outputs."""
    models = []
    for cls in (keras_hub.models.BertTextClassifier, BertTextClassifier):
        keras.utils.set_random_seed(3)
        models.append(cls(BertBackbone(**SIZE), 3))
    theirs, ours = models
    for mine, other in zip(ours.weights, theirs.weights, strict=True):
        assert mine.path == other.path
        np.testing.assert_array_equal(as_array(mine), as_array(other))
    np.testing.assert_array_equal(
        run(ours, token_batch), run(theirs, token_batch)
    )
    assert ours.dropout == theirs.dropout == 0.1


def test_padding_is_left_out_of_the_mean(
    tokenizer, randomize, run, token_batch
):
    model = randomize(build(tokenizer))
    longer = {
        name: np.pad(rows, ((0, 0), (0, 5)))
        for name, rows in token_batch.items()
    }
    np.testing.assert_allclose(
        run(model, longer), run(model, token_batch), atol=1e-5
    )


def test_an_idle_pooler_is_not_trained(tokenizer):
    model, pooler = build(tokenizer), build(tokenizer, "pooler")
    idle = {v.path for v in pooler.trainable_variables}
    idle -= {v.path for v in model.trainable_variables}
    assert idle == {v.path for v in model.backbone.pooled_dense.variables}
    steps = [name for name, _ in students.unfreezing(model)]
    assert steps == ["head", "layer.1", "embeddings"]


@pytest.mark.parametrize(
    "kind, head", [(0, "linear"), (1, "tinybert"), (2, "tinybert")]
)
def test_saved_and_loaded(kind, head, tokenizer, randomize, tmp_path):
    """As a preset by KerasHub and as a teacher, and as a file of Keras's."""
    model = randomize(build(tokenizer, "mean", head, kind))
    expected = as_array(model(model.preprocessor(TEXTS)))
    to_preset(model, tmp_path / "preset")
    model.save(tmp_path / "model.keras")
    folder = str(tmp_path / "preset")
    for loaded in (
        keras_hub.models.TextClassifier.from_preset(folder),
        type(model).from_preset(folder),
        teachers.load_teacher(folder, 3, 16, pooling="mean").classifier,
        keras.saving.load_model(
            tmp_path / "model.keras", compile=False, safe_mode=True
        ),
    ):
        assert type(loaded) is type(model)
        assert (loaded.pooling, loaded.head) == ("mean", head)
        np.testing.assert_array_equal(
            as_array(loaded(loaded.preprocessor(TEXTS))), expected
        )


def test_what_a_head_cannot_be(tokenizer):
    with pytest.raises(ValueError, match="`pooling`"):
        build(tokenizer, pooling="max")
    with pytest.raises(ValueError, match="`head`"):
        build(tokenizer, head="relu")
    with pytest.raises(ValueError, match='"tinybert" has no dropout'):
        build(tokenizer, head="tinybert", dropout=0.2)


def test_a_trained_head_stays_as_it_is(tokenizer, tmp_path):
    to_preset(build(tokenizer, head="tinybert"), tmp_path / "preset")
    folder = str(tmp_path / "preset")
    for asked, found in (
        ({"pooling": "pooler"}, "pooling='mean'"),
        ({"head": "linear"}, "head='tinybert'"),
    ):
        with pytest.raises(ValueError, match=f"a trained head with {found}"):
            teachers.load_teacher(folder, 3, 16, **asked)


def test_an_encoder_gets_the_head_that_is_asked_for(
    make_token_classifier, tmp_path
):
    """KerasHub's own BERT among them, below a head of another kind."""
    to_preset(make_token_classifier(num_layers=1), tmp_path / "tagger")
    folder = str(tmp_path / "tagger")
    with pytest.warns(UserWarning, match="gets a new one"):
        loaded = teachers.load_teacher(
            folder, 2, 16, pooling="mean", head="tinybert"
        )
    assert not loaded.has_head
    assert type(loaded.classifier) is BertTextClassifier
    assert (loaded.classifier.pooling, loaded.classifier.head) == (
        "mean",
        "tinybert",
    )
    with pytest.raises(ValueError, match="`pooling` is for heads of text"):
        teachers.load_teacher(folder, 7, 16, TokenClassifier, pooling="mean")


@pytest.mark.parametrize("activation", ["gelu", "gelu_pytorch_tanh"])
def test_a_hugging_face_encoder_gets_it_too(
    activation, make_classifier, tmp_path
):
    """Without a pooler, and whether KerasHub builds its settings in or not."""
    source = make_classifier(num_layers=1)
    write_folder(
        tmp_path / "encoder",
        source,
        "BertModel",
        prefix="",
        hidden_act=activation,
        layer_norm_eps=1e-12,
    )
    folder = str(tmp_path / "encoder")
    loaded = teachers.load_teacher(folder, 2, 16, pooling="mean")
    assert type(loaded.classifier) is BertTextClassifier
    assert loaded.classifier.pooling == "mean"
    ours = issubclass(type(loaded.classifier.backbone), BertBackbone)
    assert ours == (activation == "gelu")


def test_a_hugging_face_head_stays_as_it_is(make_classifier, tmp_path):
    write_folder(
        tmp_path / "whole",
        make_classifier(num_layers=1),
        "BertForSequenceClassification",
    )
    with pytest.raises(
        ValueError, match="a trained head with pooling='pooler'"
    ):
        teachers.load_teacher(str(tmp_path / "whole"), 2, 16, pooling="mean")


@pytest.mark.tensorflow("SavedModel")
def test_served_like_the_rest(tokenizer, randomize, tmp_path):
    import tensorflow as tf

    model = randomize(build(tokenizer, head="tinybert"))
    to_saved_model(model, tmp_path / "served", label_names=["a", "b", "c"])
    served = tf.saved_model.load(str(tmp_path / "served"))
    answer = served.signatures["serving_default"](text=tf.constant(TEXTS))
    expected = keras.ops.softmax(model(model.preprocessor(TEXTS)))
    np.testing.assert_allclose(answer["probabilities"], expected, atol=1e-5)


@pytest.mark.parametrize("ours", [True, False])
def test_students_have_the_teachers_head_or_their_own(
    ours, tokenizer, make_classifier
):
    teacher = build(tokenizer) if ours else make_classifier(num_layers=2)
    teachers_own = "mean" if ours else "pooler"

    same = students.create_student(teacher, num_layers=1, hidden_dim=4)
    assert type(same) is type(teacher)
    assert getattr(same, "pooling", "pooler") == teachers_own

    for size in ({"num_layers": 1}, {"embedding_dim": 4}):
        student = students.create_student(
            teacher, **size, pooling="mean", head="tinybert"
        )
        assert student.pooling == "mean"
        assert student.head == "tinybert"
        assert student.dropout == 0

    back = students.create_student(
        student, num_layers=1, pooling="pooler", head="linear"
    )
    assert (back.pooling, back.head, back.dropout) == ("pooler", "linear", 0.1)
    copy = students.from_its_start(student)
    assert (copy.pooling, copy.head) == ("mean", "tinybert")


def test_a_tagger_has_no_such_head(make_token_classifier):
    tagger = make_token_classifier()
    with pytest.raises(ValueError, match="`pooling` is for students of a BERT"):
        students.create_student(tagger, num_layers=1, pooling="mean")
