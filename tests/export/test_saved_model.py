"""The exported student answers as `predict` does, without Keras."""

import json
import os
import subprocess
import sys

import keras
import keras_hub
import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis import predict_pb2
from tensorflow_serving.apis import prediction_log_pb2

import keras_distill.export.served_folder as served_folder
from keras_distill import tasks
from keras_distill.export import to_saved_model

NAMES = ["negative", "positive"]
EARLIER = "variables/variables.data-00001-of-00002"
TEXTS = [
    "The plot is GREAT, and the ending was not bad",
    "",
    "zyzzyva",
    "dull",
    "a [PAD] film " + "good " * 40,
]
PAIRS = (
    ["a good plot", "", "the film is " + "very " * 30 + "funny", "sad"],
    ["dull " * 30, "the end", "it was great " * 9, ""],
)
# Its length is another than that of the training.
PAIR_TASK = tasks.Task(
    "pairs",
    ("question", "sentence"),
    ("widersprüchlich", "schlüssig"),
    ("accuracy",),
    24,
)
TOLERANCE = 1e-5

# Run by an interpreter to which no Keras exists. `import tensorflow_text`
# imports Keras for layers of its own, so TF-Text's ops are loaded as a server
# links them: without its Python side.
FRESH_PROCESS = """
import importlib.machinery
import importlib.util
import json
import pathlib
import sys

class Refuse:
    def create_module(self, spec):
        return None

    def exec_module(self, module):
        raise ImportError(f"{module.__name__} is not for serving")

class NoKeras:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("keras", "keras_hub", "keras_distill"):
            return importlib.machinery.ModuleSpec(
                name, Refuse(), origin=__file__
            )

sys.meta_path.insert(0, NoKeras())
import tensorflow as tf

text = importlib.util.find_spec("tensorflow_text")
ops = pathlib.Path(text.origin).parent / "python" / "ops"
for library in sorted(ops.glob("_*.so")):
    tf.load_op_library(str(library))

answers = []
for path, inputs in json.loads(sys.argv[1]):
    serve = tf.saved_model.load(path).signatures["serving_default"]
    answer = serve(**{name: tf.constant(x) for name, x in inputs.items()})
    answers.append({
        "label": [label.decode() for label in answer["label"].numpy()],
        "label_id": answer["label_id"].numpy().tolist(),
        "probabilities": answer["probabilities"].numpy().tolist(),
    })
assert not {"keras", "keras_hub", "keras_distill"} & set(sys.modules)
print(json.dumps(answers))
"""


@pytest.fixture(scope="module")
def classifier(make_classifier, tokenizer):
    """A classifier that has trained, and answers differently to each text."""
    keras.utils.set_random_seed(7)
    classifier = make_classifier(num_layers=1)
    # A tokenizer of its own, with all that a graph of word pieces can hold.
    classifier.preprocessor = keras_hub.models.BertTextClassifierPreprocessor(
        keras_hub.models.BertTokenizer(
            tokenizer.get_vocabulary(), lowercase=True, strip_accents=True
        ),
        sequence_length=16,
    )
    classifier.compile(
        optimizer="adam", loss="mse", metrics=["mae"], run_eagerly=True
    )
    targets = np.zeros((len(TEXTS), 2))
    classifier.fit(TEXTS, targets, shuffle=False, verbose=0)
    spread_weights(classifier)
    return classifier


@pytest.fixture(scope="module")
def exported(classifier, tmp_path_factory):
    """Where it is exported, over an earlier export and a file of one's own."""
    path = tmp_path_factory.mktemp("serving") / "film" / "1"
    (path / "variables").mkdir(parents=True)
    for name in ("saved_model.pb", EARLIER, "notes.txt"):
        (path / name).write_text("an earlier export")
    return to_saved_model(classifier, path, label_names=NAMES, overwrite=True)


@pytest.fixture(scope="module")
def signatures(exported):
    loaded = tf.saved_model.load(str(exported))
    # The signatures do not keep what was loaded.
    yield loaded.signatures
    del loaded


def spread_weights(classifier):
    random = np.random.default_rng(3)
    for weight in classifier.weights:
        if len(weight.shape) > 1:
            weight.assign(random.normal(size=weight.shape, scale=0.3))


def probabilities(classifier, texts):
    return tf.nn.softmax(classifier.predict(texts, verbose=0)).numpy()


def file_contents(folder):
    return {
        str(file.relative_to(folder)): file.read_bytes()
        for file in folder.rglob("*")
        if file.is_file()
    }


FAMILY_PAIRS = {
    "first": ["don't watch the film", "", "</s> <mask> 1234 " * 9, "good"],
    "second": ["a dull plot", "good", "an actor", "and " * 30],
}


def export_of_pairs(classifier, path):
    """Where a classifier is exported, and its probabilities in training."""
    spread_weights(classifier)
    trained = tasks.TokenizedExamples(
        tasks.Examples(tuple(FAMILY_PAIRS.values())), classifier.preprocessor
    )
    expected = tf.nn.softmax(tasks.predict_logits(classifier, trained))
    path = to_saved_model(
        classifier, path, label_names=NAMES, text_columns=list(FAMILY_PAIRS)
    )
    return path, expected.numpy()


def test_a_process_without_keras_answers_as_predict_does(
    classifier, exported, make_family, tmp_path
):
    """One process for word pieces, byte pairs and sentence pieces."""
    cases = [(exported, {"text": TEXTS}, probabilities(classifier, TEXTS))]
    for family in ("roberta", "xlm_roberta"):
        path, expected = export_of_pairs(
            make_family(family, sequence_length=24), tmp_path / family / "1"
        )
        cases.append((path, FAMILY_PAIRS, expected))
    script = tmp_path / "client.py"
    script.write_text(FRESH_PROCESS)
    asked = [(str(path), inputs) for path, inputs, _ in cases]
    done = subprocess.run(
        [sys.executable, str(script), json.dumps(asked)],
        capture_output=True,
        text=True,
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    answers = json.loads(done.stdout)
    for answer, (*_, expected) in zip(answers, cases, strict=True):
        assert np.ptp(expected[:, 0]) > 0.01
        np.testing.assert_allclose(
            answer["probabilities"], expected, rtol=0, atol=TOLERANCE
        )
        assert answer["label_id"] == expected.argmax(axis=-1).tolist()
        assert answer["label"] == [NAMES[i] for i in answer["label_id"]]


def serve(signatures, message):
    """What TF Serving does with a serialised `PredictRequest`."""
    request = predict_pb2.PredictRequest.FromString(message)
    signature = signatures[request.model_spec.signature_name]
    inputs = {
        name: tf.constant(tf.make_ndarray(tensor))
        for name, tensor in request.inputs.items()
    }
    response = predict_pb2.PredictResponse(model_spec=request.model_spec)
    for name, value in signature(**inputs).items():
        response.outputs[name].CopyFrom(tf.make_tensor_proto(value))
    return response.SerializeToString()


def ask(signatures, signature_name, **inputs):
    """Sends a request in TF Serving's messages and reads the response."""
    request = predict_pb2.PredictRequest()
    request.model_spec.name = "student"
    request.model_spec.signature_name = signature_name
    for name, value in inputs.items():
        request.inputs[name].CopyFrom(tf.make_tensor_proto(value))
    message = serve(signatures, request.SerializeToString())
    response = predict_pb2.PredictResponse.FromString(message)
    return {
        name: tf.make_ndarray(tensor)
        for name, tensor in response.outputs.items()
    }


def test_both_signatures_answer_serving_messages(classifier, signatures):
    assert set(signatures) == {"serving_default", "token_ids"}
    logits = classifier.predict(TEXTS, verbose=0)
    expected = tf.nn.softmax(logits).numpy()

    by_text = ask(signatures, "serving_default", text=TEXTS)
    assert set(by_text) == {"label", "label_id", "probabilities"}
    np.testing.assert_allclose(
        by_text["probabilities"], expected, rtol=0, atol=TOLERANCE
    )

    tokens = {
        name: np.array(value, dtype="int32")
        for name, value in classifier.preprocessor(TEXTS).items()
    }
    # As long as the model can, which is longer than texts are truncated to.
    wider = {
        name: np.pad(value, [(0, 0), (0, 16)]) for name, value in tokens.items()
    }
    for inputs in (tokens, wider):
        by_tokens = ask(signatures, "token_ids", **inputs)
        np.testing.assert_allclose(
            by_tokens.pop("logits"), logits, rtol=0, atol=TOLERANCE
        )
        np.testing.assert_allclose(
            by_tokens.pop("probabilities"), expected, rtol=0, atol=TOLERANCE
        )
        np.testing.assert_array_equal(by_tokens.pop("label"), by_text["label"])
        np.testing.assert_array_equal(
            by_tokens.pop("label_id"), by_text["label_id"]
        )
        assert not by_tokens

    empty = ask(signatures, "serving_default", text=np.array([], dtype=object))
    assert empty["label"].shape == empty["label_id"].shape == (0,)
    assert empty["probabilities"].shape == (0, 2)

    too_wide = np.ones((1, 33), dtype="int32")
    with pytest.raises(tf.errors.InvalidArgumentError, match="at most 32"):
        ask(signatures, "token_ids", **dict.fromkeys(tokens, too_wide))


@pytest.fixture(scope="module")
def exported_pairs(classifier, tmp_path_factory):
    """Where it is exported for a task of two texts, with warm-up texts."""
    return to_saved_model(
        classifier,
        tmp_path_factory.mktemp("pairs") / "1",
        task=PAIR_TASK,
        warm_up_texts=[("a", "b"), ("c", "d")],
    )


def test_two_texts_and_assets_follow_the_task(classifier, exported_pairs):
    loaded = tf.saved_model.load(str(exported_pairs))
    serve_pairs = loaded.signatures["serving_default"]
    questions, sentences = PAIRS
    answer = serve_pairs(
        sentence=tf.constant(sentences), question=tf.constant(questions)
    )
    # The length is that of the training, 16, whatever the task says.
    expected = probabilities(classifier, PAIRS)
    assert np.ptp(expected[:, 0]) > 0.1
    np.testing.assert_allclose(
        answer["probabilities"], expected, rtol=0, atol=TOLERANCE
    )
    assets = {
        name: content.decode().splitlines()
        for name, content in file_contents(exported_pairs / "assets").items()
    }
    assert assets == {
        "labels.txt": list(PAIR_TASK.label_names),
        "vocabulary.txt": classifier.preprocessor.tokenizer.get_vocabulary(),
    }


def test_regression_gives_scores(make_classifier, tmp_path):
    regression = make_classifier(num_layers=1, num_classes=1)
    spread_weights(regression)
    path = to_saved_model(regression, tmp_path / "1")
    signatures = tf.saved_model.load(str(path)).signatures
    answer = signatures["serving_default"](text=tf.constant(TEXTS))
    assert set(answer) == {"score"}
    expected = regression(regression.preprocessor(TEXTS)).numpy()
    np.testing.assert_allclose(
        answer["score"], expected[:, 0], rtol=0, atol=TOLERANCE
    )
    assert os.listdir(path / "assets") == ["vocabulary.txt"]


def test_only_what_inference_needs_is_saved(classifier, exported):
    assert classifier.optimizer.iterations > 0
    saved = [
        tuple(shape)
        for name, shape in tf.train.list_variables(
            str(exported / "variables" / "variables")
        )
        if name != "_CHECKPOINTABLE_OBJECT_GRAPH"
    ]
    inference = [tuple(weight.shape) for weight in classifier.weights]
    assert sorted(saved) == sorted(inference)


def test_the_graph_needs_old_ops_of_tf_text_only(signatures):
    graph = signatures["serving_default"].graph.as_graph_def()
    ops = {
        node.op
        for function in graph.library.function
        for node in function.node_def
    }
    assert not {op for op in ops if op.startswith("TFText>")}
    assert ops >= {
        "CaseFoldUTF8",
        "FastWordpieceTokenizeWithOffsets",
        "NormalizeUTF8",
        "RegexSplitWithOffsets",
    }


def read_warm_up_requests(path):
    file = path / "assets.extra" / "tf_serving_warmup_requests"
    return [
        prediction_log_pb2.PredictionLog.FromString(
            record.numpy()
        ).predict_log.request
        for record in tf.data.TFRecordDataset(str(file))
    ]


def test_warm_up_requests_replay_through_both_signatures(exported, signatures):
    requests = read_warm_up_requests(exported)
    assert 0 < len(requests) <= 1000
    seen = set()
    for request in requests:
        message = serve(signatures, request.SerializeToString())
        response = predict_pb2.PredictResponse.FromString(message)
        (batch_size,) = tf.make_ndarray(response.outputs["label"]).shape
        seen.add((request.model_spec.signature_name, batch_size))
        assert request.model_spec.name == "film"
    assert seen == {
        (signature, batch_size)
        for signature in ("serving_default", "token_ids")
        for batch_size in (1, 3)
    }


def test_warm_up_texts_are_sent_alone_and_together(exported_pairs):
    sent = [
        [
            tf.make_ndarray(request.inputs[column]).astype(str).tolist()
            for column in PAIR_TASK.text_columns
        ]
        for request in read_warm_up_requests(exported_pairs)
        if request.model_spec.signature_name == "serving_default"
    ]
    assert sent == [
        [["a"], ["b"]],
        [["c"], ["d"]],
        [["a", "c"], ["b", "d"]],
    ]


@pytest.mark.parametrize(
    "warm_up_texts, sentence",
    [
        ("a film", "must be a list of strings. Received: 'a film'"),
        ([], r"must be a list of strings. Received: \[\]"),
        ([("a", "b")], "must be a list of strings"),
        (["a film"] * 500, "at most 499 entries.*Received 500"),
    ],
)
def test_warm_up_texts_that_do_not_fit(
    classifier, tmp_path, warm_up_texts, sentence
):
    with pytest.raises(ValueError, match=sentence):
        to_saved_model(
            classifier,
            tmp_path / "1",
            label_names=NAMES,
            warm_up_texts=warm_up_texts,
        )
    assert not os.listdir(tmp_path)


def full_disk(*args, **kwargs):
    raise tf.errors.ResourceExhaustedError(None, None, "No space left")


@pytest.mark.parametrize(
    "owner, name",
    [(tf.saved_model, "save"), (served_folder, "write_warm_up_requests")],
)
def test_a_full_disk_leaves_the_earlier_export(
    classifier, tmp_path, monkeypatch, owner, name
):
    path = tmp_path / "1"
    path.mkdir()
    (path / "saved_model.pb").write_text("an earlier export")
    monkeypatch.setattr(owner, name, full_disk)
    with pytest.raises(OSError, match="No space left.*untouched.*/1'"):
        to_saved_model(classifier, path, label_names=NAMES, overwrite=True)
    assert file_contents(path) == {"saved_model.pb": b"an earlier export"}
    assert os.listdir(tmp_path) == ["1"]


def test_an_earlier_export_is_replaced_and_no_more(exported, signatures):
    labels = (exported / "assets" / "labels.txt").read_text()
    assert labels == "negative\npositive\n"
    assert not (exported / EARLIER).exists()
    assert (exported / "notes.txt").read_text() == "an earlier export"
    assert os.listdir(exported.parent) == ["1"]
    assert set(signatures) == {"serving_default", "token_ids"}


def test_an_existing_path_is_kept_unless_it_may_go(classifier, tmp_path):
    path = tmp_path / "1"
    path.mkdir()
    (path / "notes.txt").write_text("mine")
    with pytest.raises(ValueError, match="exists already.*overwrite=True"):
        to_saved_model(classifier, path, label_names=NAMES)
    assert file_contents(path) == {"notes.txt": b"mine"}
    with pytest.raises(ValueError, match="must be a folder.*notes.txt"):
        to_saved_model(
            classifier, path / "notes.txt", label_names=NAMES, overwrite=True
        )
    assert file_contents(path) == {"notes.txt": b"mine"}
