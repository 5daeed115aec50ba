"""Tiny seeded models and texts that all tests share."""

import functools
import gc
import gzip
import json
import os
import pathlib
import socket
import subprocess
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras  # noqa: E402
import keras_hub  # noqa: E402
import numpy as np  # noqa: E402
import pytest  # noqa: E402

from keras_distill import models  # noqa: E402
from keras_distill.evaluation import measures  # noqa: E402
from tests.untimed import untimed_models  # noqa: E402

# Tracing a step makes so many objects, and the libraries hold so many more,
# that a third of a recipe's test went into looking for dead cycles.
gc.collect()
gc.freeze()
gc.set_threshold(50_000, 10, 10)

if keras.backend.backend() == "tensorflow":
    import tensorflow as tf

    # Tiny models gain nothing by an optimised graph, and to optimise it costs
    # a third of a compiled test. New processes, as users start them, do.
    tf.config.optimizer.set_experimental_options(
        {"disable_meta_optimizer": True}
    )

_ROOT = pathlib.Path(__file__).resolve().parents[1]

WORDS = (
    "a the film movie plot actor is was not very good bad great dull funny sad "
    "story ending and but with it"
).split()

# Words of one and of more pieces.
PIECES = "at ##elo ##centra mey ##rick anna sings in oslo and , .".split()


def pytest_collection_modifyitems(items):
    """Skips what is TensorFlow's own on other backends, with the reason."""
    if keras.backend.backend() == "tensorflow":
        return
    for item in items:
        marker = item.get_closest_marker("tensorflow")
        if marker is not None:
            reason = f"TensorFlow only: {marker.args[0]}"
            item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(autouse=True)
def seed():
    """Every test starts from the same random state and counts names anew."""
    keras.utils.set_random_seed(7)
    yield
    # Without the garbage collection, which costs more than most tests.
    keras.backend.clear_session(free_memory=False)


@pytest.fixture(scope="session")
def shared_data():
    """The folder of real data sets; without it the test is skipped."""
    shared = os.environ.get("KERAS_DISTILL_SHARED", _ROOT.parent / "shared")
    folder = pathlib.Path(shared) / "data"
    if not folder.is_dir():
        pytest.skip(f"no real data in {folder}; set KERAS_DISTILL_SHARED")
    return folder


@pytest.fixture(scope="session")
def tokenizer():
    """A WordPiece tokenizer over a handful of words."""
    return keras_hub.models.BertTokenizer(
        vocabulary=["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS],
        lowercase=True,
    )


@pytest.fixture(scope="session")
def make_classifier(tokenizer):
    """Builds a tiny BERT classifier with a preprocessor.

    The arguments are the backbone's; dropout is off unless asked for.
    """

    def make(
        num_layers=4,
        hidden_dim=16,
        num_heads=2,
        num_classes=2,
        dropout=0.0,
        sequence_length=16,
        tokenizer=tokenizer,
    ):
        backbone = keras_hub.models.BertBackbone(
            vocabulary_size=tokenizer.vocabulary_size(),
            num_layers=num_layers,
            num_heads=num_heads,
            hidden_dim=hidden_dim,
            intermediate_dim=2 * hidden_dim,
            dropout=dropout,
            max_sequence_length=max(32, sequence_length),
        )
        preprocessor = keras_hub.models.BertTextClassifierPreprocessor(
            tokenizer, sequence_length=sequence_length
        )
        return keras_hub.models.BertTextClassifier(
            backbone,
            num_classes=num_classes,
            preprocessor=preprocessor,
            dropout=dropout,
        )

    return make


@pytest.fixture(scope="session")
def piece_tokenizer():
    """A WordPiece tokenizer that cuts words into pieces."""
    return keras_hub.models.BertTokenizer(
        vocabulary=["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *PIECES],
        lowercase=True,
    )


@pytest.fixture(scope="session")
def make_token_classifier(piece_tokenizer):
    """Builds a tiny BERT token classifier without dropout."""

    def make(num_layers=2, hidden_dim=16, num_classes=7, dropout=0.0):
        backbone = keras_hub.models.BertBackbone(
            vocabulary_size=piece_tokenizer.vocabulary_size(),
            num_layers=num_layers,
            num_heads=2,
            hidden_dim=hidden_dim,
            intermediate_dim=2 * hidden_dim,
            dropout=dropout,
            max_sequence_length=32,
        )
        return models.TokenClassifier(
            backbone,
            num_classes,
            preprocessor=keras_hub.models.BertTextClassifierPreprocessor(
                piece_tokenizer, sequence_length=16
            ),
            dropout=dropout,
        )

    return make


@pytest.fixture
def randomize():
    """Gives a model weights so large that all its values differ clearly."""

    def apply(model, seed=0):
        generator = np.random.default_rng(seed)
        for weight in model.weights:
            weight.assign(generator.normal(0.0, 0.5, weight.shape))
        return model

    return apply


@pytest.fixture
def answers():
    """A model's outputs for texts, as `predict` gives them, not compiled."""

    def call(model, texts):
        outputs = model(model.preprocessor(texts), training=False)
        return keras.ops.convert_to_numpy(outputs)

    return call


@pytest.fixture
def values():
    """Copies weights into a list of arrays, to compare before and after."""

    def read(model):
        return [np.array(weight) for weight in model.weights]

    return read


@pytest.fixture
def eager(monkeypatch):
    """Steps as they come: for the few of a test a graph is not worth it."""
    monkeypatch.setattr(
        keras.Model,
        "compile",
        functools.partialmethod(keras.Model.compile, run_eagerly=True),
    )


@pytest.fixture
def all_eager(monkeypatch):
    """The same, and predictions too."""
    always = property(lambda _: True, lambda *_: None)
    monkeypatch.setattr(keras.Model, "run_eagerly", always)


@pytest.fixture
def untimed(monkeypatch):
    """Reports whose times say nothing: tests/evaluation looks at those."""
    monkeypatch.setattr(measures, "timed_models", untimed_models)


@pytest.fixture
def run_python():
    """Runs a program in a process of its own and returns what it printed."""

    def run(program, hash_seed):
        return subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            cwd=_ROOT,
            capture_output=True,
            text=True,
            check=True,
        ).stdout.splitlines()

    return run


@pytest.fixture
def write_tsv(tmp_path):
    """Writes rows to a file below `tmp_path`, compressed if it ends in .gz."""

    def write(name, *rows):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        data = "".join("\t".join(row) + "\n" for row in rows).encode()
        path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
        return path

    return write


class _Series:
    """What a pandas series does: `[]` looks up labels, iteration does not."""

    def __init__(self, values, index):
        self._values = list(values)
        self.index = list(index)

    def __getitem__(self, label):
        return self._values[self.index.index(label)]

    def __len__(self):
        return len(self._values)

    def __iter__(self):
        return iter(self._values)

    def __array__(self, dtype=None, copy=None):
        return np.array(self._values, dtype=dtype)


@pytest.fixture(params=["stand-in", "pandas"])
def series(request):
    """Makes a series of values and an index; pandas's where it is there."""
    if request.param == "pandas":
        return pytest.importorskip("pandas").Series
    return _Series


@pytest.fixture
def two_workers():
    """What TF_CONFIG is to say to two workers on this machine."""
    sockets = [socket.socket() for _ in range(2)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    addresses = [f"127.0.0.1:{one.getsockname()[1]}" for one in sockets]
    for one in sockets:
        one.close()
    return [
        json.dumps(
            {
                "cluster": {"worker": addresses},
                "task": {"type": "worker", "index": index},
            }
        )
        for index in range(2)
    ]
