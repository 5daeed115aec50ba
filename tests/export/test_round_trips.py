"""Every student in every precision comes back from every file it goes to."""

import functools
import io
import warnings

import keras
import keras_hub
import numpy as np
import pytest

from keras_distill import Distiller
from keras_distill import export
from keras_distill import losses
from keras_distill import models
from keras_distill import teachers

WORDS = "[PAD] [UNK] [CLS] [SEP] [MASK] a good bad film".split()
SIZE = dict(
    num_layers=1,
    num_heads=2,
    hidden_dim=8,
    intermediate_dim=16,
    max_sequence_length=16,
)
# Of each row, what is no padding.
IDS = np.array([[2, 5, 6, 8, 3, 0], [2, 7, 8, 3, 0, 0]], "int32")
PRECISIONS = ["float32", "mixed_bfloat16", "mixed_float16", "bfloat16", "int8"]
OURS = ["factorized", "bilstm", "token"]
HUB = ["bert", "distil_bert", "roberta", "xlm_roberta"]


def sentence_pieces():
    trainer = pytest.importorskip("sentencepiece").SentencePieceTrainer
    proto = io.BytesIO()
    trainer.train(
        sentence_iterator=iter(["a good film", "a bad film"]),
        model_writer=proto,
        vocab_size=8,
        model_type="word",
        pad_id=0,
        unk_id=1,
        bos_id=2,
        eos_id=3,
        minloglevel=2,
    )
    return proto.getvalue()


def make(kind, dtype):
    """A tiny student of a kind, with large random weights."""
    hub = keras_hub.models
    words = dict(vocabulary_size=len(WORDS), dtype=dtype)
    if kind == "distil_bert":
        preprocessor = hub.DistilBertTextClassifierPreprocessor(
            hub.DistilBertTokenizer(WORDS, lowercase=True), sequence_length=8
        )
        student = hub.DistilBertTextClassifier(
            hub.DistilBertBackbone(**words, **SIZE), 3, preprocessor
        )
    elif kind == "roberta":
        pieces = ["<s>", "<pad>", "</s>", "<unk>", "<mask>", *"agod", "go"]
        tokenizer = hub.RobertaTokenizer(
            {piece: i for i, piece in enumerate(pieces)}, ["g o"]
        )
        student = hub.RobertaTextClassifier(
            hub.RobertaBackbone(vocabulary_size=10, dtype=dtype, **SIZE),
            3,
            hub.RobertaTextClassifierPreprocessor(tokenizer, sequence_length=8),
        )
    elif kind == "xlm_roberta":
        student = hub.XLMRobertaTextClassifier(
            hub.XLMRobertaBackbone(**words, **SIZE),
            3,
            hub.XLMRobertaTextClassifierPreprocessor(
                hub.XLMRobertaTokenizer(sentence_pieces()), sequence_length=8
            ),
        )
    else:
        preprocessor = hub.BertTextClassifierPreprocessor(
            hub.BertTokenizer(WORDS, lowercase=True), sequence_length=8
        )
        if kind == "bilstm":
            student = models.BiLstmTextClassifier(
                models.BiLstmBackbone(
                    embedding_dim=4, lstm_dim=4, projection_dim=8, **words
                ),
                3,
                preprocessor,
            )
        elif kind == "factorized":
            student = models.FactorizedBertTextClassifier(
                models.FactorizedBertBackbone(embedding_dim=4, **words, **SIZE),
                3,
                preprocessor,
            )
        else:
            backbone = hub.BertBackbone(**words, **SIZE)
            classes = {
                "bert": hub.BertTextClassifier,
                "token": models.TokenClassifier,
            }
            student = classes[kind](backbone, 3, preprocessor)
    generator = np.random.default_rng(0)
    for weight in student.weights:
        if keras.backend.is_float_dtype(weight.dtype):
            weight.assign(generator.normal(0.0, 0.5, weight.shape))
    return student


@functools.lru_cache(maxsize=1)
def make_in(kind, precision):
    """The same in a precision, quantized or not, for its tests in a row."""
    if precision != "int8":
        return make(kind, precision)
    student = make(kind, "float32")
    # Keras quantizes nothing that was not called.
    student.preprocessor(["a film"])
    with warnings.catch_warnings():
        # It names every layer that has nothing to quantize.
        warnings.simplefilter("ignore", UserWarning)
        student.quantize("int8")
    return student


def outputs(model):
    batch = {
        "token_ids": IDS,
        "segment_ids": 0 * IDS,
        "padding_mask": np.array(IDS > 0, "int32"),
    }
    found = model({name: batch[name] for name in model.input})
    return [
        keras.ops.convert_to_numpy(keras.ops.cast(value, "float32"))
        for value in keras.tree.flatten(found)
    ]


def assert_equal(model, expected):
    for one, other in zip(outputs(model), expected, strict=True):
        np.testing.assert_array_equal(one, other)


def task_class(kind):
    if kind == "token":
        return models.TokenClassifier
    return keras_hub.models.TextClassifier


def comes_back_from_a_preset(student, kind, precision, tmp_path):
    expected = outputs(student)
    path = export.to_preset(student, tmp_path / "preset", ["no", "so so", "ya"])
    loaded = teachers.load_teacher(str(path), 3, 6, task_class(kind))
    assert loaded.has_head and loaded.label_names == ("no", "so so", "ya")
    assert_equal(loaded.classifier, expected)
    by_hub = task_class(kind).from_preset(str(path))
    assert type(by_hub) is type(student)
    assert_equal(by_hub, expected)


def comes_back_from_an_encoder_preset(student, kind, precision, tmp_path):
    path = tmp_path / "encoder"
    if precision == "int8":
        with pytest.raises(ValueError, match="not quantized"):
            export.to_encoder_preset(student, path)
        assert not path.exists()
        return
    expected = outputs(student.backbone)
    export.to_encoder_preset(student, path)
    loaded = teachers.load_teacher(str(path), 2, 6, task_class(kind))
    assert not loaded.has_head
    assert_equal(loaded.classifier.backbone, expected)
    by_hub = keras_hub.models.Backbone.from_preset(str(path), dtype=precision)
    assert_equal(by_hub, expected)


def comes_back_from_files_of_keras(student, kind, precision, tmp_path):
    expected = outputs(student)
    # KerasHub's own classes leave a quantized head out of their config.
    if precision != "int8" or kind in OURS:
        student.save(tmp_path / "student.keras")
        # KerasHub's classes are compiled anew, and say so.
        loaded = keras.saving.load_model(
            tmp_path / "student.keras", compile=False
        )
        assert_equal(loaded, expected)
    path = tmp_path / "student.weights.h5"
    student.save_weights(path)
    for weight in student.weights:
        weight.assign(keras.ops.zeros_like(weight))
    student.load_weights(path)
    assert_equal(student, expected)


FORMATS = [
    comes_back_from_a_preset,
    comes_back_from_an_encoder_preset,
    comes_back_from_files_of_keras,
]


def all_cases():
    """Each kind in each precision through each format.

    Of those without numbers of their own, as quantized ones have, so many are
    slow that each two of kind, precision and format still meet.
    """
    for row, kind in enumerate([*OURS, *HUB]):
        for column, precision in enumerate(PRECISIONS):
            # Keras initializes no recurrent weights in bfloat16.
            if (kind, precision) == ("bilstm", "bfloat16"):
                continue
            for number, comes_back in enumerate(FORMATS):
                is_usual = (row + column) % len(FORMATS) == number
                yield pytest.param(
                    kind,
                    precision,
                    comes_back,
                    marks=[]
                    if is_usual or precision == "int8"
                    else [pytest.mark.slow],
                    id=f"{kind}-{precision}-{comes_back.__name__}",
                )


# KerasHub leaves SentencePiece's files open when it reads them.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("kind, precision, comes_back", all_cases())
def test_it_comes_back_as_it_was(kind, precision, comes_back, tmp_path):
    comes_back(make_in(kind, precision), kind, precision, tmp_path)


@pytest.fixture(scope="module")
def bert():
    return make("bert", "float32")


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "float32"])
def test_the_loader_may_ask_for_another_precision(policy, tmp_path):
    path = export.to_preset(make("bert", "mixed_float16"), tmp_path / "preset")
    loaded = keras_hub.models.TextClassifier.from_preset(
        str(path), dtype=policy
    )
    assert loaded.backbone.dtype_policy.name == policy


@pytest.mark.parametrize("precision", ["mixed_bfloat16", "int8"])
def test_a_loaded_student_is_written_again(precision, tmp_path):
    student = make_in("factorized", precision)
    expected = outputs(student)
    for _ in range(2):
        path = export.to_preset(student, tmp_path / "preset")
        student = keras_hub.models.TextClassifier.from_preset(str(path))
        assert_equal(student, expected)
        student.save(tmp_path / "student.keras")
        student = keras.saving.load_model(
            tmp_path / "student.keras", compile=False
        )
        assert_equal(student, expected)


def test_an_encoder_alone_is_refused_and_named(bert, tmp_path):
    backbone = bert.backbone
    for write in (export.to_preset, export.to_encoder_preset):
        with pytest.raises(ValueError, match="BertBackbone. An encoder alone"):
            write(backbone, tmp_path / "preset")
    assert not (tmp_path / "preset").exists()
    backbone.save(tmp_path / "backbone.keras")
    loaded = keras.saving.load_model(tmp_path / "backbone.keras")
    assert_equal(loaded, outputs(backbone))


def test_what_is_no_task_is_refused(tmp_path):
    with pytest.raises(ValueError, match="model.save"):
        export.to_preset(keras.Sequential(), tmp_path / "preset")


def test_without_a_preprocessor_it_comes_back_without_one(bert, tmp_path):
    student = keras_hub.models.BertTextClassifier(bert.backbone, 3)
    path = export.to_preset(student, tmp_path / "preset")
    for loaded in (
        keras_hub.models.TextClassifier.from_preset(str(path)),
        teachers.load_teacher(str(path), 3, 6).classifier,
    ):
        assert loaded.preprocessor is None
        assert_equal(loaded, outputs(student))


@pytest.mark.parametrize(
    "names, expected",
    [
        ([0, 1, 2], ("0", "1", "2")),
        (np.array([3, 1, 2]), ("3", "1", "2")),
        (np.array(["a", "b", "c"]), ("a", "b", "c")),
        (("", "two\nlines | 一", "\ud83d"), ("", "two\nlines | 一", "\ud83d")),
        ((name for name in "abc"), ("a", "b", "c")),
    ],
)
def test_odd_names_come_back(names, expected, bert, tmp_path):
    path = export.to_preset(bert, tmp_path / "x", names)
    assert teachers.load_teacher(str(path), 3, 6).label_names == expected


@pytest.mark.parametrize(
    "names, sentence",
    [
        ("abc", "must be a list of names"),
        ({0: "a", 1: "b", 2: "c"}, "must be a list of names"),
        ({"a", "b", "c"}, "must be a list of names"),
        (["a", None, "c"], "must be names or integers. Received: None"),
        ([0.0, 1.0, 2.0], "must be names or integers. Received: 0.0"),
        ([True, False, "c"], "must be names or integers. Received: True"),
        (["a", "b"], "must name 3 classes"),
        (["a", "b", "a"], "a name of its own"),
        ([0, "0", 1], "a name of its own"),
    ],
)
def test_names_that_cannot_be_are_refused(names, sentence, bert, tmp_path):
    with pytest.raises(ValueError, match=sentence):
        export.to_preset(bert, tmp_path / "x", names)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("kind", OURS)
def test_hdf5_is_refused(kind, tmp_path):
    for name in ("student.h5", "student.hdf5"):
        with pytest.raises(ValueError, match=f"end in `.keras`.*{name}"):
            make(kind, "float32").save(tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_a_distiller_comes_back_with_a_quantized_teacher(bert, tmp_path):
    teacher, student = make_in("bert", "int8"), bert
    distiller = Distiller(teacher, student, losses.LogitsDistillation())
    for name in ("distiller.h5", "distiller.hdf5"):
        with pytest.raises(ValueError, match=f"end in `.keras`.*{name}"):
            distiller.save(tmp_path / name)
    with pytest.raises(ValueError, match=r"must end in `.weights.h5`"):
        distiller.save_weights(tmp_path / "distiller.h5")
    assert not list(tmp_path.iterdir())
    distiller.save(tmp_path / "distiller.keras")
    loaded = keras.saving.load_model(tmp_path / "distiller.keras")
    assert_equal(loaded.teacher, outputs(teacher))
    assert_equal(loaded.student, outputs(student))


def test_files_go_home_and_through_links(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    student = make("token", "float32")
    expected = outputs(student)
    (tmp_path / "home").mkdir()
    for ending, save in (
        (".keras", student.save),
        (".weights.h5", student.save_weights),
    ):
        link = tmp_path / f"link{ending}"
        link.symlink_to(tmp_path / "home" / f"student{ending}")
        save(link)
        assert link.is_symlink()
        save(f"~/student{ending}")
    student.load_weights("~/student.weights.h5")
    assert_equal(student, expected)
    export.to_preset(student, "~/preset")
    load = teachers.load_teacher
    loaded = load("~/preset", 3, 6, models.TokenClassifier).classifier
    assert_equal(loaded, expected)
    assert_equal(models.TokenClassifier.from_preset("~/preset"), expected)
    assert not (tmp_path / "~").exists()
    names = {"student.keras", "student.weights.h5", "preset"}
    assert {path.name for path in (tmp_path / "home").iterdir()} == names
