"""Several tasks above one encoder."""

import keras
import keras_hub
import numpy as np
import pytest

from keras_distill import export
from keras_distill import models
from keras_distill import tasks
from keras_distill.models import MultiTaskModel
from keras_distill.teachers import load_teacher

NLI = tasks.ClassificationTask(
    "nli", ("premise", "hypothesis"), tuple("abc"), ("accuracy",), 12
)
# As wide as the encoder.
EIGHT = tasks.ClassificationTask(
    "eight", ("text",), tuple("abcdefgh"), ("accuracy",), 64
)
ANSWER = tasks.ClassificationTask(
    "answer", ("premise", "hypothesis"), tuple("ab"), ("accuracy",), 16
)
SCORE = tasks.RegressionTask(
    "score", ("first", "second"), None, ("pearson",), 16
)
TAGS = tasks.TaggingTask(
    "tags/en", ("words",), ("O", "B-A", "I-A"), ("phrase_f1",), 16
)
PAIRS = (["a good plot", "the film is bad", "dull"], ["dull", "a plot", ""])


@pytest.fixture(scope="module")
def make_backbone(tokenizer):
    def make():
        return keras_hub.models.BertBackbone(
            vocabulary_size=tokenizer.vocabulary_size(),
            num_layers=1,
            num_heads=2,
            hidden_dim=8,
            intermediate_dim=16,
            dropout=0.0,
            max_sequence_length=32,
        )

    return make


@pytest.fixture(scope="module")
def preprocessor(tokenizer):
    return keras_hub.models.BertTextClassifierPreprocessor(
        tokenizer, sequence_length=16
    )


@pytest.fixture(scope="module")
def model(make_backbone, preprocessor):
    keras.utils.set_random_seed(7)
    return MultiTaskModel.for_tasks(
        make_backbone(),
        preprocessor,
        [NLI, EIGHT, SCORE, TAGS, ANSWER],
        heads={"answer": "stochastic_answer"},
        dropout={"nli": 0.3, "eight": 0.05},
    )


def same(first, second, tolerance=0):
    first, second = map(keras.ops.convert_to_numpy, (first, second))
    return np.allclose(first, second, rtol=0, atol=tolerance)


def test_each_task_has_a_head_of_its_kind_on_one_encoder(model):
    assert {
        name: (type(each), each.num_classes)
        for name, each in model.task_models.items()
    } == {
        "nli": (keras_hub.models.BertTextClassifier, 3),
        "eight": (keras_hub.models.BertTextClassifier, 8),
        "score": (keras_hub.models.BertTextClassifier, 1),
        "tags/en": (models.TokenClassifier, 3),
        "answer": (models.StochasticAnswerClassifier, 2),
    }
    for each in model.task_models.values():
        assert each.backbone is model.backbone
    with pytest.raises(TypeError):
        model.task_models["more"] = None


def test_variables_are_the_encoders_once_and_each_heads(model):
    encoder = model.backbone.trainable_variables
    heads = [
        variable
        for each in model.task_models.values()
        for variable in getattr(
            each, "answer_head", getattr(each, "output_dense", None)
        ).trainable_variables
    ]
    found = [id(variable) for variable in model.trainable_variables]
    assert found == [id(variable) for variable in [*encoder, *heads]]
    assert model.count_params() == sum(
        np.prod(v.shape) for v in [*encoder, *heads]
    )


def test_linear_heads_of_a_bert_may_read_the_mean(make_backbone):
    model = MultiTaskModel.for_tasks(
        make_backbone(),
        None,
        [NLI, ANSWER],
        heads={"answer": "stochastic_answer"},
        pooling="mean",
    )
    assert type(model.task_models["nli"]) is models.BertTextClassifier
    assert model.task_models["nli"].pooling == "mean"
    pooler = {id(v) for v in model.backbone.pooled_dense.variables}
    assert not pooler & {id(v) for v in model.trainable_variables}


def test_what_no_head_reads_is_not_trained(make_backbone):
    backbone = make_backbone()
    tags = models.TokenClassifier(backbone, 3)
    pooler = {id(v) for v in backbone.pooled_dense.variables}
    alone = MultiTaskModel({"tags": tags})
    assert not pooler & {id(v) for v in alone.trainable_variables}
    both = MultiTaskModel(
        {
            "tags": tags,
            "nli": keras_hub.models.BertTextClassifier(backbone, num_classes=3),
        }
    )
    assert pooler <= {id(v) for v in both.trainable_variables}


def test_a_call_is_the_tasks_own(model, token_batch):
    for name, shape in (("nli", (4, 3)), ("tags/en", (4, 6, 3))):
        found = model(token_batch, task=name)
        assert found.shape == shape
        assert same(found, model.task_models[name](token_batch))


def test_the_task_must_be_named(model, token_batch):
    with pytest.raises(ValueError, match="one of.*nli, eight.*task=None"):
        model(token_batch)
    with pytest.raises(ValueError, match="task='mnli'"):
        model.predict(PAIRS, task="mnli")


def test_predict_takes_raw_texts(model, all_eager):
    found = model.predict(PAIRS, task="nli", verbose=0)
    each = model.task_models["nli"]
    tokenized = NLI.tokenize(PAIRS, each.preprocessor)
    assert found.shape == (3, 3)
    assert same(found, NLI.predict(each, tokenized), 1e-6)


def test_each_head_drops_at_its_own_rate(model):
    """Of MT-DNN: 0.3 for MNLI, 0.05 for CoLA."""
    ids = np.random.default_rng(0).integers(5, 24, (500, 6)).astype("int32")
    batch = {
        "token_ids": ids,
        "segment_ids": 0 * ids,
        "padding_mask": 0 * ids + 1,
    }
    dropped = {}
    for name, rate in (("nli", 0.3), ("eight", 0.05), ("score", 0.1)):
        each = model.task_models[name]
        # What is left of each unit, summed where there is no other way.
        outputs = np.eye(8, each.num_classes, dtype="float32")
        before = each.output_dense.get_weights()
        each.output_dense.set_weights([outputs, 0 * before[1]])
        noisy = keras.ops.convert_to_numpy(
            model(batch, task=name, training=True)
        )
        dropped[name] = (noisy == 0).mean(), rate
        each.output_dense.set_weights(before)
    for name, (found, rate) in dropped.items():
        sigma = np.sqrt(rate * (1 - rate) / 500)
        assert abs(found - rate) < 4 * sigma, name


def test_preprocessors_share_the_tokenizer_and_have_their_own_length(model):
    found = [each.preprocessor for each in model.task_models.values()]
    assert [each.sequence_length for each in found] == [12, 16, 16, 16, 16]
    assert len({id(each.tokenizer) for each in found}) == 1


def test_a_file_has_the_encoder_once_and_shares_it_again(
    model, randomize, token_batch, tmp_path
):
    randomize(model)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert type(loaded) is MultiTaskModel
    assert list(loaded.task_models) == list(model.task_models)
    assert len(loaded.variables) == len(model.variables)
    for name, each in loaded.task_models.items():
        assert each.backbone is loaded.backbone
        assert same(each(token_batch), model(token_batch, task=name))
        rate = each.get_config()["dropout"]
        assert rate == model.task_models[name].get_config()["dropout"]
    tokenizers = {
        id(each.preprocessor.tokenizer) for each in loaded.task_models.values()
    }
    assert len(tokenizers) == 1
    text = ["a good plot"]
    np.testing.assert_array_equal(
        loaded.task_models["nli"].preprocessor(text)["token_ids"],
        model.task_models["nli"].preprocessor(text)["token_ids"],
    )


def test_weights_go_to_a_file_of_their_own(model, randomize, tmp_path):
    path = tmp_path / "model.weights.h5"
    randomize(model, seed=1)
    model.save_weights(path)
    before = model.get_weights()
    randomize(model, seed=2)
    model.load_weights(path)
    for found, expected in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(found, expected)


def test_each_tasks_model_is_a_preset_alone(model, token_batch, tmp_path):
    for name, kind in (
        ("nli", keras_hub.models.TextClassifier),
        ("answer", keras_hub.models.TextClassifier),
        ("tags/en", models.TokenClassifier),
    ):
        each = model.task_models[name]
        folder = export.to_preset(each, tmp_path / each.name)
        loaded = load_teacher(folder, each.num_classes, 16, kind)
        assert loaded.has_head
        assert same(loaded.classifier(token_batch), each(token_batch))


def test_what_cannot_be_one_model_is_refused(make_backbone):
    backbone = make_backbone()
    nli, other = (
        keras_hub.models.BertTextClassifier(each, num_classes=3)
        for each in (backbone, make_backbone())
    )
    for wrong, message in (
        ({}, "at least one"),
        ([nli], "dict of task name"),
        ({"": nli}, "a name for each task"),
        ({"nli": backbone}, r"\['nli'\]` must be a keras_hub.models.Task"),
        ({"nli": nli, "rte": nli}, "the same for 'nli' and 'rte'"),
        ({"nli": nli, "rte": other}, "one backbone.*'rte' on another"),
    ):
        with pytest.raises(ValueError, match=message):
            MultiTaskModel(wrong)


def test_tasks_heads_and_rates_that_do_not_fit_are_refused(make_backbone):
    backbone = make_backbone()
    for words, message in (
        ({"tasks": [NLI, SCORE, NLI]}, "different names.*'nli' 2 times"),
        ({"heads": {"mnli": "linear"}}, "`heads`.*'mnli' is none of them"),
        ({"heads": {"nli": "san"}}, r"`heads\['nli'\]`.*'san'"),
        ({"pooling": "max"}, "`pooling` must be one of"),
        ({"heads": {"eight": "stochastic_answer"}}, "'eight'.*texts text"),
        ({"heads": {"score": "stochastic_answer"}}, "'score'.*regression"),
        ({"heads": {"tags/en": "stochastic_answer"}}, "'tags/en'.*tagging"),
        ({"dropout": {"cola": 0.1}}, "`dropout`.*'cola' is none of them"),
        ({"dropout": {"nli": 1.0}}, r"`dropout\['nli'\]`"),
    ):
        words = {"tasks": [NLI, EIGHT, SCORE, TAGS], **words}
        with pytest.raises(ValueError, match=message):
            MultiTaskModel.for_tasks(backbone, None, **words)


def test_what_an_encoder_has_no_head_for_is_refused():
    """A BiLSTM's classifier has no dropout and reads no pooler."""
    backbone = models.BiLstmBackbone(
        vocabulary_size=20, embedding_dim=4, lstm_dim=2
    )
    for words, message in (
        ({"dropout": {"nli": 0.2}}, "`dropout` must be 0 for 'nli'"),
        ({"pooling": "mean", "dropout": 0}, "`pooling` is for heads of a BERT"),
    ):
        with pytest.raises(ValueError, match=message):
            MultiTaskModel.for_tasks(backbone, None, [NLI], **words)
    model = MultiTaskModel.for_tasks(backbone, None, [NLI], dropout=0)
    assert type(model.task_models["nli"]) is models.BiLstmTextClassifier
