"""Several tasks are served by one encoder, each by its own signature."""

import keras
import keras_hub
import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis import prediction_log_pb2

from keras_distill import tasks
from keras_distill.export import to_multi_task_saved_model
from keras_distill.export import to_preset
from keras_distill.export import to_saved_model
from keras_distill.models import MultiTaskModel

NLI = tasks.ClassificationTask(
    "nli", ("premise", "hypothesis"), tuple("abc"), ("accuracy",), 12
)
FILMS = tasks.ClassificationTask(
    "films/en", ("sentence",), ("bad", "good"), ("accuracy",), 16
)
SCORE = tasks.RegressionTask("score", ("one", "two"), None, ("pearson",), 16)
TASKS = [NLI, FILMS, SCORE]
TEXTS = {
    "nli": (["a good plot", "the film is bad"], ["dull " * 20, ""]),
    "films/en": (["a good plot", "the film is bad"],),
    "score": (["a good plot", "the film is bad"], ["dull", "the end"]),
}


@pytest.fixture(scope="module")
def model(tokenizer):
    keras.utils.set_random_seed(7)
    model = MultiTaskModel.for_tasks(
        # Large enough that its weights outweigh a graph.
        keras_hub.models.BertBackbone(
            vocabulary_size=20_000,
            num_layers=1,
            num_heads=2,
            hidden_dim=32,
            intermediate_dim=16,
            dropout=0.0,
            max_sequence_length=32,
        ),
        keras_hub.models.BertTextClassifierPreprocessor(
            tokenizer, sequence_length=16
        ),
        TASKS,
        heads={"nli": "stochastic_answer"},
    )
    generator = np.random.default_rng(3)
    for weight in model.weights:
        if len(weight.shape) > 1:
            weight.assign(generator.normal(0.0, 0.3, weight.shape))
    return model


@pytest.fixture(scope="module")
def exported(model, tmp_path_factory):
    path = tmp_path_factory.mktemp("serving") / "several" / "1"
    return to_multi_task_saved_model(
        model, path, tasks=TASKS, default="films/en"
    )


@pytest.fixture(scope="module")
def signatures(exported):
    loaded = tf.saved_model.load(str(exported))
    # The signatures do not keep what was loaded.
    yield loaded.signatures
    del loaded


def ask(signatures, name, task):
    texts = map(tf.constant, TEXTS[task.name])
    return signatures[name](**dict(zip(task.text_columns, texts, strict=True)))


def outputs_of(model, task):
    """Logits as in training, for texts."""
    each = model.task_models[task.name]
    texts = TEXTS[task.name]
    rows = tasks.Examples(texts)
    return task.predict(each, task.tokenize(rows, each.preprocessor))


def test_there_is_a_signature_for_each_task(signatures):
    assert set(signatures) == {
        "serving_default",
        *(task.name for task in TASKS),
        *(f"{task.name}/token_ids" for task in TASKS),
    }


@pytest.mark.parametrize("task", [NLI, FILMS], ids=lambda task: task.name)
def test_classes_are_answered_as_they_are_predicted(model, signatures, task):
    answer = ask(signatures, task.name, task)
    expected = tf.nn.softmax(outputs_of(model, task)).numpy()
    assert np.ptp(expected[:, 0]) > 0.01
    np.testing.assert_allclose(
        answer["probabilities"], expected, rtol=0, atol=1e-5
    )
    names = [task.label_names[i] for i in expected.argmax(axis=1)]
    assert answer["label"].numpy().astype(str).tolist() == names


def test_a_regression_is_answered_by_its_score(model, signatures):
    score = ask(signatures, "score", SCORE)
    np.testing.assert_allclose(
        score["score"], outputs_of(model, SCORE)[:, 0], rtol=0, atol=1e-5
    )


def test_the_default_is_that_of_one_task(signatures):
    default = ask(signatures, "serving_default", FILMS)
    films = ask(signatures, "films/en", FILMS)
    assert set(default) == set(films) == {"label", "label_id", "probabilities"}
    np.testing.assert_array_equal(
        default["probabilities"], films["probabilities"]
    )


def test_token_ids_give_logits_as_well(model, signatures):
    each = model.task_models["films/en"]
    tokens = {
        name: np.array(value, "int32")
        for name, value in each.preprocessor(TEXTS["films/en"][0]).items()
    }
    answer = signatures["films/en/token_ids"](**tokens)
    np.testing.assert_allclose(
        answer["logits"], outputs_of(model, FILMS), rtol=0, atol=1e-5
    )


def test_weights_are_saved_once(model, exported, tmp_path):
    saved = [
        tuple(shape)
        for name, shape in tf.train.list_variables(
            str(exported / "variables" / "variables")
        )
        if name != "_CHECKPOINTABLE_OBJECT_GRAPH"
    ]
    assert sorted(saved) == sorted(tuple(w.shape) for w in model.weights)
    # One task alone has nearly all of it.
    alone = to_saved_model(
        model.task_models["films/en"], tmp_path / "1", task=FILMS
    )
    sizes = [
        sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
        for path in (exported, alone)
    ]
    assert sizes[0] < 1.5 * sizes[1]


def test_labels_are_in_a_file_of_each_task(exported):
    found = {
        file.name: file.read_text("utf-8").split()
        for file in (exported / "assets").iterdir()
        if file.name.startswith("labels")
    }
    assert found == {
        "labels.nli.txt": list("abc"),
        "labels.films%2Fen.txt": ["bad", "good"],
    }
    assert (exported / "assets" / "vocabulary.txt").is_file()


def test_every_signature_is_warmed_up(exported, signatures):
    file = exported / "assets.extra" / "tf_serving_warmup_requests"
    requests = [
        prediction_log_pb2.PredictionLog.FromString(
            record.numpy()
        ).predict_log.request
        for record in tf.data.TFRecordDataset(str(file))
    ]
    names = [request.model_spec.signature_name for request in requests]
    assert set(names) == set(signatures)
    assert len(names) == 4 * len(signatures)
    # Each is one that its signature takes.
    for name, request in dict(zip(names, requests, strict=True)).items():
        assert set(request.inputs) == set(
            signatures[name].structured_input_signature[1]
        )


def test_what_does_not_fit_is_refused(model, tmp_path):
    films = model.task_models["films/en"]
    named = {"films/en": ["bad", "good"]}
    for words, message in (
        ({"tasks": [NLI]}, "Of task 'films/en': `label_names` is missing"),
        ({"tasks": ["mnli"]}, "`tasks`.*nli, films/en.*'mnli'"),
        ({"label_names": {"rte": "ab"}}, "`label_names`.*nli, films/en.*'rte'"),
        ({"warm_up_texts": ["a"]}, "`warm_up_texts`.*by the names"),
        ({"tasks": TASKS, "default": "sst2"}, "`default` must be one of"),
        (
            {"tasks": TASKS, "text_columns": {"nli": ["text"]}},
            "Of task 'nli'.*two names.*pairs",
        ),
        (
            {"tasks": TASKS, "warm_up_texts": {"films/en": 142 * ["a"]}},
            "Of task 'films/en'.*at most 141",
        ),
    ):
        with pytest.raises(ValueError, match=message):
            to_multi_task_saved_model(model, tmp_path / "1", **words)
    with pytest.raises(ValueError, match="must be a MultiTaskModel"):
        to_multi_task_saved_model(films, tmp_path / "1", label_names=named)
    taken = MultiTaskModel({"serving_default": films})
    with pytest.raises(ValueError, match="another signature"):
        to_multi_task_saved_model(taken, tmp_path / "1", tasks=None)
    with pytest.raises(ValueError, match="to_multi_task_saved_model"):
        to_saved_model(model, tmp_path / "1")
    with pytest.raises(ValueError, match="`task_models` is a preset alone"):
        to_preset(model, tmp_path / "1")
    assert not list(tmp_path.iterdir())
