"""A MobileBERT learns from its inverted-bottleneck teacher, block by block."""

import keras
import numpy as np
import pytest

from keras_distill import Distiller
from keras_distill import losses
from keras_distill import models
from keras_distill import stages
from keras_distill import students
from keras_distill.callbacks import ProgressiveKnowledgeTransfer
from keras_distill.optimizers import BertLamb
from keras_distill.optimizers import RateScaleOptimizer
from keras_distill.optimizers.schedules import KnowledgeTransferRate
from tests.callbacks.test_phases_resume import Tokens

SIZES = {
    "vocabulary_size": 60,
    "num_layers": 2,
    "num_heads": 2,
    "embedding_dim": 4,
    "hidden_dim": 8,
    "intra_dim": 8,
    "intermediate_dim": 16,
    "max_sequence_length": 16,
    "attention_dropout": 0.0,
}
# Of the teacher's tables. With BERT's 0.02 attention would be uniform.
_TABLES = 0.3


def make_pair():
    """Models of pre-training, equal outside of their blocks."""
    keras.utils.set_random_seed(1)
    teacher, student = (
        models.PretrainingModel(
            models.MobileBertBackbone.from_preset(
                name, load_weights=False, **{**SIZES, **sizes}
            )
        )
        for name, sizes in (
            ("ib_bert_large", {"intra_dim": 32, "intermediate_dim": 64}),
            ("mobilebert", {}),
        )
    )
    generator = np.random.default_rng(3)
    for weight in teacher.weights:
        if len(weight.shape) > 1:
            is_table = "embedding" in weight.path.split("/")[-2]
            scale = _TABLES if is_table else weight.shape[0] ** -0.5
            weight.assign(generator.normal(0.0, scale, weight.shape))
    students.copy_pretraining(teacher, student)
    return teacher, student


def make_rows(count):
    """Random texts."""
    generator = np.random.default_rng(0)
    lengths = generator.integers(6, 13, count)
    mask = (np.arange(12) < lengths[:, None]).astype("int32")
    ids = generator.integers(5, 60, (count, 12)).astype("int32")
    return {
        "token_ids": ids * mask,
        "segment_ids": np.zeros_like(mask),
        "padding_mask": mask,
        "mask_positions": np.ones((count, 1), "int32"),
    }


def make_optimizer(rate):
    optimizer = BertLamb(rate)
    optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    return RateScaleOptimizer(optimizer)


def values_of(variables):
    # Copies: PyTorch gives NumPy its own memory.
    return [
        np.array(keras.ops.convert_to_numpy(variable)) for variable in variables
    ]


@pytest.mark.parametrize("done_rate", [0.1, 0.0])
def test_each_part_learns_at_the_rate_of_the_released_schedule(done_rate):
    teacher, student = make_pair()
    distiller = Distiller(
        teacher,
        student,
        [losses.FeatureMapTransfer(), losses.AttentionDistillation(loss="kl")],
        student_loss_weight=0,
    )
    rate = KnowledgeTransferRate(3.0 * 1.5e-3, steps_per_layer=10_000)
    optimizer = make_optimizer(rate)
    distiller.compile(optimizer, run_eagerly=True)
    transfer = ProgressiveKnowledgeTransfer(
        epochs=1, hold=("embeddings", "head"), done_rate=done_rate
    )
    parts = students.parts_of(student)
    inner = optimizer.inner_optimizer
    optimizer.build(distiller.trainable_variables)
    for phase, step, expected in (
        (0, 500, {"layer.1": 2.25e-3}),
        (1, 15_000, {"layer.1": done_rate * 4.3682e-3, "layer.2": 4.3682e-3}),
    ):
        before = {name: values_of(parts[name]) for name in parts}
        inner.iterations.assign(step)
        distiller.fit(
            make_rows(8),
            batch_size=8,
            initial_epoch=phase,
            epochs=phase + 1,
            verbose=0,
            callbacks=[transfer],
        )
        for name, weights in parts.items():
            found = expected.get(name, 0.0)
            for weight, old, new in zip(
                weights, before[name], values_of(weights), strict=True
            ):
                if not found:
                    np.testing.assert_array_equal(new, old, weight.path)
                elif "kernel" in weight.path:
                    # LAMB moves a matrix by the rate times its length.
                    moved = np.linalg.norm(new - old) / np.linalg.norm(old)
                    assert moved == pytest.approx(found, rel=1e-3), weight.path
        begun = {f"layer.{number}" for number in range(1, phase + 2)}
        for name in parts.keys() - begun:
            for weight in parts[name]:
                index = inner._get_variable_index(weight)
                for moments in (inner._momentums, inner._velocities):
                    assert not values_of([moments[index]])[0].any(), weight.path


def test_attention_teaches_queries_and_keys_alone():
    teacher, student = make_pair()
    distiller = Distiller(
        teacher,
        student,
        losses.AttentionDistillation(loss="kl"),
        student_loss_weight=0,
    )
    # Attention of small weights is all but uniform, and so are its gradients.
    distiller.compile(keras.optimizers.SGD(1e4), run_eagerly=True)
    block = student.backbone.transformer_layers[0]
    before = values_of(block.weights)
    transfer = ProgressiveKnowledgeTransfer(epochs=1)
    distiller.fit(make_rows(8), batch_size=8, verbose=0, callbacks=[transfer])
    moved = {
        weight.path.split("/", 1)[1]
        for weight, old, new in zip(
            block.weights, before, values_of(block.weights), strict=True
        )
        if not np.allclose(new, old, atol=1e-5)
    }
    assert moved >= {
        "attention/query/kernel",
        "attention/key/kernel",
        "key_query_dense/kernel",
    }
    assert all("query" in path or "key" in path for path in moved)


def test_an_ordinary_teacher_teaches_a_mobilebert(
    make_classifier, token_batches, tmp_path
):
    teacher = make_classifier(num_layers=2, hidden_dim=12)
    student = students.create_mobilebert_student(
        teacher,
        num_layers=2,
        # For attention the teacher's, which relations do not need.
        num_heads=2,
        embedding_dim=4,
        hidden_dim=8,
        intra_dim=4,
        intermediate_dim=6,
    )
    distillation_losses = [
        losses.HiddenStatesDistillation(projection="per_layer"),
        losses.HiddenStatesDistillation(projection="shared", name="shared"),
        losses.FeatureMapTransfer(projection="per_layer"),
        losses.AttentionDistillation(loss="kl"),
        losses.RelationDistillation(),
        losses.LogitsDistillation(),
    ]
    distiller = Distiller(
        teacher, student, distillation_losses, student_loss_weight=0
    )
    assert len(distiller.projections) == 5
    distiller.compile(make_optimizer(1e-2), run_eagerly=True)
    parts = students.parts_of(student)
    seen = []

    def moved_parts():
        moved = {
            name
            for name, weights in parts.items()
            if not all(map(np.array_equal, values[name], values_of(weights)))
        }
        values.update(read())
        return moved

    def read():
        return {name: values_of(parts[name]) for name in parts}

    values = read()
    watch = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: seen.append(
            (moved_parts(), set(logs) - {"loss"})
        )
    )
    layer = {"hidden_states_loss", "shared_loss", "feature_map_loss"}
    layer |= {"attention_loss"}
    everything = {*layer, "relations_loss", "logits_loss"}
    transfer = ProgressiveKnowledgeTransfer(epochs=1)
    distiller.fit(
        token_batches[0],
        batch_size=12,
        epochs=3,
        verbose=0,
        callbacks=[transfer, watch],
    )
    stage = stages.Stage(
        "everything",
        student,
        Tokens(*token_batches),
        teacher=teacher,
        distillation_losses=distillation_losses,
        student_loss_weight=0,
        optimizer=lambda steps: make_optimizer(1e-2),
        epochs=1,
        batch_size=12,
        callbacks=[watch],
        compile_options={"run_eagerly": True},
    )
    stages.run_stages([stage], tmp_path, quiet=True)
    assert seen == [
        ({"layer.1"}, layer),
        # Relations are of the last layer.
        ({"layer.2"}, {*layer, "relations_loss"}),
        (set(parts), everything),
        (set(parts), everything),
    ]


class FirstLogs(keras.callbacks.Callback):
    """Keeps the losses of the first batch."""

    logs = None

    def on_train_batch_end(self, batch, logs=None):
        self.logs = self.logs or dict(logs)


@pytest.mark.slow
def test_the_first_block_learns_features_and_attention_of_random_text():
    teacher, student = make_pair()
    distiller = Distiller(
        teacher,
        student,
        [
            losses.FeatureMapTransfer(weights=(1.0, 1.0, 0.1)),
            losses.AttentionDistillation(loss="kl"),
        ],
        student_loss_weight=0,
    )
    # LAMB moves weights by a share of their length: the small ones of queries
    # and keys need more steps than these to grow.
    distiller.compile(keras.optimizers.Adam(0.02))
    first = FirstLogs()
    transfer = ProgressiveKnowledgeTransfer(steps=200)
    history = distiller.fit(
        make_rows(320),
        batch_size=16,
        epochs=10,
        verbose=0,
        callbacks=[transfer, first],
    ).history
    for name in ("feature_map_loss", "attention_loss"):
        assert history[name][-1] < 0.5 * first.logs[name], name
