"""MobileBERT's three ways of knowledge transfer, as stages."""

import keras
import keras_hub
import numpy as np
import pytest

from keras_distill import callbacks
from keras_distill import corpora
from keras_distill import losses
from keras_distill import models
from keras_distill import optimizers
from keras_distill import stages
from keras_distill import students

_WORDS = [f"w{number}" for number in range(40)]


@pytest.fixture(scope="module")
def rows(tmp_path_factory):
    """Masked pairs of sentences of random words."""
    folder = tmp_path_factory.mktemp("corpus")
    draw = np.random.default_rng(0)
    documents = [
        "\n".join(" ".join(draw.choice(_WORDS, 4)) for _ in range(8))
        for _ in range(4)
    ]
    (folder / "text.txt").write_text("\n\n".join(documents))
    tokenizer = keras_hub.models.BertTokenizer(
        ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *_WORDS]
    )
    corpus = corpora.tokenize_corpus(
        folder / "text.txt", tokenizer, folder / "cache"
    )
    return corpora.MaskedSentencePairs(corpus, 16)


def make_model(name, intra_dim):
    backbone = models.MobileBertBackbone.from_preset(
        name,
        load_weights=False,
        vocabulary_size=5 + len(_WORDS),
        num_layers=2,
        num_heads=2,
        embedding_dim=4,
        hidden_dim=8,
        intra_dim=intra_dim,
        intermediate_dim=8,
        max_sequence_length=16,
    )
    return models.PretrainingModel(backbone)


class Parts(keras.callbacks.Callback):
    """Which parts of the student each step moved, and by which losses."""

    def __init__(self, student):
        super().__init__()
        self.parts = students.parts_of(student)
        self.seen = []

    def on_train_batch_begin(self, batch, logs=None):
        self._before = self._read()

    def on_train_batch_end(self, batch, logs=None):
        after = self._read()
        moved = {
            name
            for name, values in self._before.items()
            if not all(map(np.array_equal, values, after[name]))
        }
        self.seen.append((moved, set(logs) - {"loss"}))

    def _read(self):
        # On JAX, asking for the model puts the state of the last step into
        # its variables.
        assert self.model is not None
        return {
            # Copies: PyTorch gives NumPy its own memory.
            name: [np.array(keras.ops.convert_to_numpy(w)) for w in weights]
            for name, weights in self.parts.items()
        }


LAYERS = {"feature_map_loss", "attention_loss"}
ENCODER = {"embeddings", "layer.1", "layer.2"}
EVERYTHING = {*ENCODER, "head"}
DISTIL = (EVERYTHING, {"pretraining_loss"})


@pytest.mark.parametrize(
    "strategy, expected",
    [
        ("auxiliary", [(EVERYTHING, {*LAYERS, "pretraining_loss"})]),
        ("joint", [(ENCODER, LAYERS), DISTIL]),
        ("progressive", [({"layer.1"}, LAYERS), ({"layer.2"}, LAYERS), DISTIL]),
    ],
)
def test_each_way_is_a_list_of_stages(tmp_path, rows, strategy, expected):
    teacher = make_model("ib_bert_large", 12)
    student = make_model("mobilebert", 6)
    students.copy_pretraining(teacher, student)
    transfer = [
        losses.FeatureMapTransfer(),
        losses.AttentionDistillation(loss="kl"),
    ]
    distil = losses.PretrainingDistillation(
        masked_lm="masked_lm", next_sentence="next_sentence"
    )
    progressive = callbacks.ProgressiveKnowledgeTransfer(steps=1)
    watch = Parts(student)

    def stage(name, distillation_losses, steps=1, *more):
        return stages.Stage(
            name,
            student,
            rows,
            teacher=teacher,
            distillation_losses=distillation_losses,
            student_loss_weight=0,
            optimizer=lambda steps: optimizers.BertLamb(1e-2),
            steps=steps,
            batch_size=4,
            callbacks=[*more, watch],
            compile_options={"run_eagerly": True},
        )

    distillation = stage("distil", distil)
    plan = {
        "auxiliary": [stage("transfer", [*transfer, distil])],
        "joint": [stage("transfer", transfer), distillation],
        "progressive": [
            stage("transfer", transfer, 2, progressive),
            distillation,
        ],
    }
    stages.run_stages(plan[strategy], tmp_path, seed=2, quiet=True)
    assert watch.seen == expected
