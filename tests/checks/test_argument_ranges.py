"""Numbers and choices that cannot be are refused where they are given."""

import inspect

import keras
import keras_hub
import numpy as np
import pytest

import keras_distill as kd
from keras_distill import callbacks
from keras_distill import distribution
from keras_distill import evaluation
from keras_distill import export
from keras_distill import losses
from keras_distill import models
from keras_distill import schedules
from keras_distill import stages
from keras_distill import students
from keras_distill import tasks
from keras_distill import teachers
from keras_distill.checks.arguments import Number
from keras_distill.optimizers import RateScaleOptimizer

NO_NUMBERS = (True, "3", float("nan"), float("inf"), [1])
COUNT = Number(int, minimum=1)
OPTIONAL_COUNT = Number(int, minimum=1, optional=True)
SHARE = Number(float, minimum=0, maximum=1)
DROPOUT = Number(float, minimum=0, below=1)
SEED = Number(int, minimum=0, maximum=2**32 - 1)
ABOVE_0 = Number(float, above=0)
FROM_0 = Number(float, minimum=0)
WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "good", "bad"]


def backbone(**changes):
    sizes = dict(
        vocabulary_size=7,
        num_layers=2,
        num_heads=2,
        hidden_dim=4,
        intermediate_dim=8,
    )
    return keras_hub.models.BertBackbone(**{**sizes, **changes})


@pytest.fixture(scope="module")
def given():
    """What the arguments under test are given together with."""
    tokenizer = keras_hub.models.BertTokenizer(WORDS)
    examples = tasks.Examples((["good", "bad"] * 2,), [1, 0] * 2)
    classifier = keras_hub.models.BertTextClassifier(
        backbone(),
        num_classes=2,
        preprocessor=keras_hub.models.BertTextClassifierPreprocessor(
            tokenizer, sequence_length=8
        ),
    )
    return dict(
        tokenizer=tokenizer,
        examples=examples,
        classifier=classifier,
        tokenized=tasks.TokenizedExamples(examples, tokenizer, 8),
    )


def stage(given, **changes):
    arguments = dict(epochs=1, loss="mse", optimizer="sgd")
    if "steps" in changes:
        del arguments["epochs"]
    return stages.Stage(
        "one",
        given["classifier"],
        given["tokenized"],
        **{**arguments, **changes},
    )


def distilled(given, **changes):
    return kd.Distiller(
        given["classifier"],
        keras.models.clone_model(given["classifier"]),
        losses.LogitsDistillation(),
        **changes,
    )


def bilstm(**changes):
    sizes = dict(vocabulary_size=7, embedding_dim=2, lstm_dim=2)
    return models.BiLstmBackbone(**{**sizes, **changes})


def factorized(**changes):
    sizes = dict(
        vocabulary_size=7,
        num_layers=1,
        num_heads=2,
        hidden_dim=4,
        intermediate_dim=8,
        embedding_dim=2,
    )
    return models.FactorizedBertBackbone(**{**sizes, **changes})


# What is called with the argument, what it may be, by argument.
CALLS = {
    "LogitsDistillation": (
        lambda given, **word: losses.LogitsDistillation(**word),
        {"temperature": ABOVE_0},
    ),
    "RelationDistillation": (
        lambda given, **word: losses.RelationDistillation(**word),
        {"num_relation_heads": OPTIONAL_COUNT},
    ),
    "Distiller": (
        distilled,
        {
            "student_loss_weight": SHARE,
            "distillation_loss_weights": Number(
                float, minimum=0, optional=True
            ),
        },
    ),
    "Stage": (
        stage,
        {
            "epochs": COUNT,
            "steps": COUNT,
            "batch_size": COUNT,
        },
    ),
    "run_stages": (
        lambda given, **word: stages.run_stages([], "never", **word),
        {"seed": SEED, "checkpoint_every": FROM_0},
    ),
    "KeepBest": (
        lambda given, **word: callbacks.KeepBest(dict, "loss", **word),
        {"patience": OPTIONAL_COUNT},
    ),
    "GradualUnfreezing": (
        lambda given, **word: callbacks.GradualUnfreezing(
            monitor="val_loss", **word
        ),
        {"patience": COUNT, "min_delta": FROM_0},
    ),
    "ProgressiveKnowledgeTransfer": (
        lambda given, **word: callbacks.ProgressiveKnowledgeTransfer(
            epochs=1, **word
        ),
        {"layers_at_once": COUNT, "done_rate": SHARE},
    ),
    "phases": (
        lambda given, **word: callbacks.GradualUnfreezing(**word),
        {"epochs": COUNT, "steps": COUNT},
    ),
    "StopOnNaN": (
        lambda given, **word: callbacks.StopOnNaN(**word),
        {"snapshot_every": COUNT},
    ),
    "Progress": (
        lambda given, **word: callbacks.Progress("title", **word),
        {"log_every": FROM_0},
    ),
    "set_rate_scale": (
        lambda given, **word: RateScaleOptimizer(
            keras.optimizers.SGD()
        ).set_rate_scale([], **word),
        {"scale": ABOVE_0},
    ),
    "WarmupLinearDecay": (
        lambda given, **word: schedules.WarmupLinearDecay(
            **{"peak": 1e-3, "total_steps": 10, **word}
        ),
        {"peak": ABOVE_0, "total_steps": COUNT, "warmup": DROPOUT},
    ),
    "CosineRestarts": (
        lambda given, **word: schedules.CosineRestarts(**word),
        {
            "peak": Number(float, minimum=1e-8),
            "floor": Number(float, minimum=0, maximum=1e-3),
            "period": COUNT,
            "growth": Number(float, minimum=1),
            "decay": Number(float, above=0, maximum=1),
        },
    ),
    "KnowledgeTransferRate": (
        lambda given, **word: schedules.KnowledgeTransferRate(
            **{"peak": 1e-3, "steps_per_layer": 10, **word}
        ),
        {"peak": ABOVE_0, "steps_per_layer": Number(int, minimum=2)},
    ),
    "create_student": (
        lambda given, **word: students.create_student(
            given["classifier"], **{"num_layers": 1, "num_heads": 1, **word}
        ),
        {
            "num_layers": OPTIONAL_COUNT,
            "hidden_dim": OPTIONAL_COUNT,
            "num_heads": OPTIONAL_COUNT,
            "intermediate_dim": OPTIONAL_COUNT,
            "embedding_dim": OPTIONAL_COUNT,
            "dropout": Number(float, minimum=0, below=1, optional=True),
        },
    ),
    "create_bilstm_student": (
        lambda given, **word: students.create_bilstm_student(
            given["classifier"], **{"lstm_dim": 2, "embedding_dim": 2, **word}
        ),
        {
            "embedding_dim": COUNT,
            "lstm_dim": COUNT,
            "dropout": DROPOUT,
            "recurrent_dropout": DROPOUT,
        },
    ),
    "factorize_embeddings": (
        lambda given, **word: students.factorize_embeddings(
            given["classifier"],
            students.create_student(
                given["classifier"], hidden_dim=2, num_heads=1
            ),
            quiet=True,
            **word,
        ),
        {"seed": SEED},
    ),
    "BiLstmBackbone": (
        lambda given, **word: bilstm(**word),
        {
            "vocabulary_size": COUNT,
            "embedding_dim": COUNT,
            "lstm_dim": COUNT,
            "projection_dim": OPTIONAL_COUNT,
            "dropout": DROPOUT,
            "recurrent_dropout": DROPOUT,
            "max_sequence_length": COUNT,
        },
    ),
    "BiLstmTextClassifier": (
        lambda given, **word: models.BiLstmTextClassifier(bilstm(), **word),
        {"num_classes": COUNT},
    ),
    "FactorizedBertBackbone": (
        lambda given, **word: factorized(**word),
        {
            "vocabulary_size": COUNT,
            "num_layers": COUNT,
            "intermediate_dim": COUNT,
            "embedding_dim": COUNT,
            "dropout": DROPOUT,
            "max_sequence_length": COUNT,
            "num_segments": COUNT,
        },
    ),
    "TokenClassifier": (
        lambda given, **word: models.TokenClassifier(
            given["classifier"].backbone, **{"num_classes": 2, **word}
        ),
        {"num_classes": COUNT, "dropout": DROPOUT},
    ),
    "TokenizedExamples": (
        lambda given, **word: tasks.TokenizedExamples(
            given["examples"], given["tokenizer"], **word
        ),
        {"sequence_length": Number(int, minimum=3)},
    ),
    "batches": (
        lambda given, **word: given["tokenized"].batches(
            **{"batch_size": 2, **word}
        ),
        {
            "batch_size": COUNT,
            "seed": Number(int, minimum=0),
            "fixed_length": Number(int, minimum=3, optional=True),
            "length_multiple": OPTIONAL_COUNT,
            "initial_epoch": Number(int, minimum=0),
        },
    ),
    "num_batches": (
        lambda given, **word: given["tokenized"].num_batches(**word),
        {"batch_size": COUNT},
    ),
    "predict_logits": (
        lambda given, **word: tasks.predict_logits(
            given["classifier"], given["tokenized"].select([0]), **word
        ),
        {"batch_size": COUNT},
    ),
    "take": (
        lambda given, **word: given["examples"].take(**word),
        {"count": Number(int, minimum=0)},
    ),
    "fixed_shapes": (
        lambda given, **word: distribution.fixed_shapes(
            **{"sequence_length": 8, **word}
        ),
        {"sequence_length": COUNT, "steps_per_execution": COUNT},
    ),
    "load_teacher": (
        lambda given, **word: teachers.load_teacher(
            "nowhere", **{"num_classes": 2, "sequence_length": 8, **word}
        ),
        {
            "num_classes": OPTIONAL_COUNT,
            "sequence_length": Number(int, minimum=3, optional=True),
        },
    ),
    "to_saved_model": (
        lambda given, **word: export.to_saved_model(
            given["classifier"],
            "never",
            label_names=["no", "yes"],
            text_columns=["text"],
            **word,
        ),
        {"sequence_length": Number(int, minimum=3, optional=True)},
    ),
    "compare": (
        lambda given, **word: evaluation.compare(
            {"teacher": given["classifier"]},
            tasks.get_task("sst2"),
            given["examples"],
            **word,
        ),
        {
            "batch_size": COUNT,
            "latency_runs": COUNT,
            "throughput_runs": COUNT,
        },
    ),
    "load_wikiann": (
        lambda given, **word: tasks.load_wikiann(["en"], **word),
        {"sequence_length": Number(int, minimum=3)},
    ),
    "SentenceEncoder": (
        lambda given, **word: tasks.retrieval.SentenceEncoder(
            given["classifier"].backbone, given["tokenizer"], **word
        ),
        {"batch_size": COUNT, "sequence_length": Number(int, minimum=3)},
    ),
}


def refused(number):
    """Values that a kind of number is not, those at its bounds first."""
    bounds = {number.minimum, number.above, number.maximum, number.below}
    near = [
        value
        for bound in bounds - {None}
        for value in (bound - 1, bound, bound + 1)
    ]
    values = [*near, 0, -1, 2.5, None, *NO_NUMBERS]
    return [value for value in values if not number.accepts(value)]


@pytest.mark.parametrize(
    ("name", "argument"),
    [(name, argument) for name, (_, of) in CALLS.items() for argument in of],
)
def test_numbers_out_of_range(name, argument, given):
    function, kinds = CALLS[name]
    for value in refused(kinds[argument]):
        if isinstance(value, list) and name in ("Distiller", "phases"):
            # A list of numbers may be given as well.
            continue
        with pytest.raises(ValueError, match=rf"`{argument}`|Give either"):
            function(given, **{argument: value})


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ({"distillation_loss_weights": [-1.0]}, "`distillation_loss_weights`"),
        ({"distillation_loss_weights": [1.0, 1.0]}, "one weight for each of"),
        ({"distillation_losses": []}, "must hold at least one loss"),
        ({"distillation_losses": "kl"}, "must hold losses of"),
        ({"student_loss_weight": 1.5}, "`student_loss_weight` must be a numb"),
    ],
)
def test_a_stage_knows_its_losses_when_it_is_made(given, words, message):
    arguments = {"distillation_losses": losses.LogitsDistillation(), **words}
    with pytest.raises(ValueError, match=message):
        stage(given, teacher=given["classifier"], **arguments)


def test_numpy_numbers_are_numbers(given):
    assert given["tokenized"].num_batches(np.int64(2)) == 2
    assert stage(given, batch_size=np.int32(2)).total_steps == 2
    assert losses.LogitsDistillation(np.float32(2)).temperature == 2.0


@pytest.mark.parametrize(
    "loss",
    [
        losses.HiddenStatesDistillation,
        losses.AttentionDistillation,
        losses.RelationDistillation,
    ],
)
@pytest.mark.parametrize("layer_map", ["uniform", [(1, 2)], {1: 2}, None])
def test_a_layer_map_is_a_function(loss, layer_map):
    with pytest.raises(ValueError, match="`layer_map` must be a function of"):
        loss(layer_map=layer_map)


@pytest.mark.parametrize(
    ("loss", "argument"),
    [
        (losses.HiddenStatesDistillation, "include_embeddings"),
        (losses.LogitsDistillation, "multi_label"),
    ],
)
@pytest.mark.parametrize("value", ["false", 1, None])
def test_switches_are_true_or_false(loss, argument, value):
    with pytest.raises(ValueError, match=f"`{argument}` must be True or False"):
        loss(**{argument: value})


def losses_of_the_package():
    return [
        item
        for item in vars(losses).values()
        if inspect.isclass(item)
        and issubclass(item, losses.DistillationLoss)
        and item is not losses.DistillationLoss
    ]


@pytest.mark.parametrize("loss", losses_of_the_package())
@pytest.mark.parametrize("name", ["", 3])
def test_losses_have_names(loss, name):
    words = {"name": name}
    if loss is losses.FeatureDistillation:
        words |= {"student_layer": "a", "teacher_layer": "b"}
    with pytest.raises(ValueError, match="`name` of a loss must be a text"):
        loss(**words)


@pytest.mark.parametrize("words", [{"student_layer": ""}, {"teacher_layer": 3}])
def test_layers_have_names(words):
    (argument,) = words
    layers = {"student_layer": "a", "teacher_layer": "b", **words}
    with pytest.raises(ValueError, match=f"`{argument}` must be the name of"):
        losses.FeatureDistillation(**layers)


@pytest.mark.parametrize("outputs", ["start", [], ()])
def test_outputs_are_a_list(outputs):
    with pytest.raises(ValueError, match="`outputs` must be a list"):
        losses.LogitsDistillation(outputs=outputs)


def test_relations_are_a_list():
    with pytest.raises(ValueError, match="`relations` must be a tuple"):
        losses.RelationDistillation("queries")


@pytest.mark.parametrize(
    "words", [{"mode": "min"}, {"patience": 2}, {"min_delta": 0.1}]
)
def test_what_is_about_a_monitor_needs_one(words):
    (argument,) = words
    with pytest.raises(ValueError, match=f"`{argument}` is about the quantity"):
        callbacks.GradualUnfreezing(epochs=1, **words)


@pytest.mark.parametrize("pair", [(True, 1), (1, 2.0), ("1", 2), (1, -1)])
def test_layers_of_a_map_are_numbers(pair):
    with pytest.raises(ValueError, match="`pairs` must hold at least one"):
        kd.layer_map.explicit([pair])


@pytest.mark.parametrize("value", [True, 2.0, "2", None])
def test_depths_are_numbers(value):
    for layer_map in (kd.layer_map.uniform, kd.layer_map.last):
        with pytest.raises(ValueError, match="`num_student_layers` must be"):
            layer_map(value, 4)


@pytest.mark.parametrize("rate", [float("nan"), -1.0, "0.1", None, True])
def test_joined_rates_are_numbers(rate):
    with pytest.raises(ValueError, match="`parts` must hold pairs"):
        schedules.JoinedSchedules([(rate, 10)])
