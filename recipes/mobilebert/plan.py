"""What a run will take: `python -m recipes.mobilebert --plan ...`.

Models are made as the run makes them, and some steps of each stage are taken,
on rows that are made up. Nothing is written.
"""

import time

import keras
import numpy as np

from keras_distill import callbacks
from keras_distill import evaluation
from keras_distill import io
from keras_distill import models
from recipes.common.devices import begin_devices
from recipes.mobilebert.config import PROGRESSIVE
from recipes.mobilebert.pretrained_models import make_student
from recipes.mobilebert.pretrained_models import make_teacher
from recipes.mobilebert.transfer import TRANSFER
from recipes.mobilebert.transfer import student_stages
from recipes.mobilebert.transfer import teacher_stage
from recipes.mobilebert.transfer import transfer_stage

# Steps that are timed, after a first one that compiles.
_TIMED = 3
# Tokens of a step that is timed, at most: of a larger batch a part is taken.
_TOKENS = 4096
_FLOAT_BYTES = 4


def show_plan(config, quiet=False):
    """Prints what a run of a configuration will take.

    Args:
        config: `Config`.
        quiet: bool. Whether to show no progress.

    Returns:
        str, what was printed.
    """
    with begin_devices(config.strategy, config.precision) as scope, scope:
        text = plan(config, quiet)
    io.make_console(soft_wrap=True, highlight=False).print(text)
    return text


def plan(config, quiet=False):
    """Models, stages and their time, as Markdown."""
    teacher = make_teacher(config)
    student, _ = make_student(config, teacher)
    made = {"student": student}
    if teacher is not None:
        made = {"teacher": teacher, **made}
    rows = MadeUpRows(config, student)
    taken = timed_stages(config, teacher, student, rows, quiet)
    total = sum(seconds for *_, seconds in taken)
    return "\n".join(
        [
            _models_table(config, made),
            _stages_table(config, taken),
            f"In all {_in_words(total)}, without fine-tuning. Measured by "
            f"{_TIMED} steps of {rows.count:,} rows of {config.max_length} "
            f"tokens each{_scaled(config, rows)}.",
        ]
    )


class MadeUpRows:
    """Rows of random tokens, in place of a corpus.

    Attributes:
        sequence_length: int. The tokens of each row.
        count: int. The rows of a batch.
    """

    def __init__(self, config, model):
        self.sequence_length = config.max_length
        self.count = min(
            config.batch_size, max(_TOKENS // config.max_length, 1)
        )
        self._words = model.backbone.token_embedding.input_dim
        self._predictions = config.max_predictions or max(
            round(config.mask_rate * config.max_length), 1
        )
        self._inputs = tuple(model.backbone.input)

    def num_batches(self, batch_size, drop_remainder=False):
        """As many as are timed, and one that compiles."""
        return _TIMED + 1

    def sizes(self, batch_size, seed=0, epoch=0, drop_remainder=False):
        """The tokens and the places of each batch."""
        tokens = np.full(_TIMED + 1, self.count * self.sequence_length)
        return tokens, tokens

    def arrays(self):
        """All batches, one behind the other: inputs, labels and weights."""
        draw = np.random.default_rng(0)
        rows = (_TIMED + 1) * self.count
        tokens = (rows, self.sequence_length)
        x = {
            "token_ids": draw.integers(1, self._words, tokens),
            "segment_ids": np.zeros(tokens),
            "padding_mask": np.ones(tokens),
        }
        x = {name: x[name].astype("int32") for name in self._inputs}
        places = (rows, self._predictions)
        x["mask_positions"] = draw.integers(
            0, self.sequence_length, places, dtype="int32"
        )
        y = {
            "masked_lm": draw.integers(1, self._words, places, dtype="int32"),
            "next_sentence": draw.integers(0, 2, rows, dtype="int32"),
        }
        weights = {
            "masked_lm": np.ones(places, "float32"),
            "next_sentence": np.ones(rows, "float32"),
        }
        return x, y, weights


def timed_stages(config, teacher, student, rows, quiet=False):
    """Name, steps and seconds of each stage."""
    listed = student_stages(config, teacher, student, lambda stage: rows)
    if teacher is not None and config.teacher is None:
        listed = [teacher_stage(config, teacher, rows), *listed]
    arrays = rows.arrays()
    taken = []
    for stage in listed:
        if not quiet:
            io.show(f"Timing steps of stage '{stage.name}'")
        timed = [stage]
        if stage.name == TRANSFER and config.transfer == PROGRESSIVE:
            # A step takes longer from layer to layer: half way between the
            # first and the last.
            timed = [
                transfer_stage(config, teacher, student, rows, [number])
                for number in (1, student.backbone.num_layers)
            ]
        step = np.mean([_seconds(one, arrays, rows.count) for one in timed])
        step *= config.batch_size / rows.count
        taken.append((stage.name, stage.total_steps, stage.total_steps * step))
    return taken


def _seconds(stage, arrays, batch_size):
    """The seconds of a step of a stage."""
    clock = _Clock()
    model = stage.build()
    x, y, weights = arrays
    phases = [
        callback
        for callback in stage.callbacks
        if not isinstance(callback, callbacks.Throughput)
    ]
    with stage.only_trainable():
        # KerasHub's own would run its preprocessor.
        fit = keras.Model.fit if model is stage.student else type(model).fit
        fit(
            model,
            x,
            y,
            batch_size=batch_size,
            sample_weight=weights,
            shuffle=False,
            verbose=0,
            callbacks=[*phases, clock],
        )
    return clock.seconds


class _Clock(keras.callbacks.Callback):
    """The median time of a step, but for the first one."""

    def on_train_begin(self, logs=None):
        self._times = []

    def on_train_batch_end(self, batch, logs=None):
        self._times.append(time.perf_counter())

    @property
    def seconds(self):
        return float(np.median(np.diff(self._times)))


def _models_table(config, made):
    rows = []
    for name, model in made.items():
        weights = model.count_params()
        # Weights, gradients and the two moments of LAMB.
        copies = 4 if name == "student" or config.teacher is None else 1
        flops = evaluation.count_flops(model.backbone, config.max_length)
        heads = isinstance(model, models.PretrainingModel)
        rows.append(
            [
                name,
                f"{model.backbone.count_params():,}",
                f"{weights:,}" if heads else "–",
                f"{flops / 1e9:.3g}",
                f"{copies * weights * _FLOAT_BYTES / 2**30:.2f}",
            ]
        )
    return io.markdown_table(
        [
            "",
            "encoder weights",
            "with the heads",
            f"GFLOPs of {config.max_length} tokens",
            "GiB with gradients and moments, without activations",
        ],
        rows,
    )


def _stages_table(config, taken):
    tokens = config.batch_size * config.max_length
    return io.markdown_table(
        ["stage", "steps", "tokens at most", "seconds a step", "in all"],
        [
            [
                name,
                f"{steps:,}",
                f"{steps * tokens:,}",
                f"{seconds / steps:.3g}",
                _in_words(seconds),
            ]
            for name, steps, seconds in taken
        ],
    )


def _scaled(config, rows):
    times = config.batch_size / rows.count
    if times == 1:
        return ""
    return f"; one of {config.batch_size:,} rows is taken for {times:g} of them"


def _in_words(seconds):
    """A time that is easy to take in."""
    for unit, length in (("days", 86400), ("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:,.1f} {unit}"
    return f"{seconds:.0f} seconds"
