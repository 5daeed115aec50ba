"""What a step costs beside other tasks, over one of a task alone.

    python -m tests.benchmarks.multi_task --help

Two tasks above one encoder take turns, one with a teacher and one without;
and each is trained alone, by a `Distiller`, on the same batches. They take
turns, and their CPU time is compared, which does not depend on what else the
machine does.
"""

import os
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import keras_hub
from rich.console import Console

import keras_distill
from keras_distill import data
from keras_distill import losses
from keras_distill import models
from keras_distill import tasks
from tests.benchmarks.classifiers import compile_model
from tests.benchmarks.classifiers import make_classifier
from tests.benchmarks.options import make_parser
from tests.benchmarks.random_texts import make_examples
from tests.benchmarks.random_texts import make_tokenizer
from tests.benchmarks.table import describe_sizes
from tests.benchmarks.table import print_steps
from tests.benchmarks.turns import ratio
from tests.benchmarks.turns import take_turns

_SEED = 0
_TOGETHER = "tasks in turns"
_ALONE = "each task alone"
_TAUGHT, _LABELS = "taught", "labels"


def main(arguments=None):
    """Runs the benchmark and prints its table.

    Args:
        arguments: list of strings. Defaults to `None`, the command line.

    Returns:
        float. The CPU time of an epoch of two tasks over that of an epoch of
        each of them alone.
    """
    options = make_parser(
        "multi_task",
        "Compares an epoch of two tasks with an epoch of each alone.",
        teacher=(2, 192),
        student=(2, 192),
    ).parse_args(arguments)
    console = Console()
    keras.utils.set_random_seed(_SEED)
    clock = _StepClock()
    ways = _ways(options, clock)
    seconds = take_turns(ways, options.runs, console, lambda: clock.seconds)
    title = f"CPU time; {describe_sizes(options)} at most"
    print_steps(console, title, seconds, options, _ALONE)
    of_alone = ratio(seconds, _TOGETHER, _ALONE)
    console.print(
        f"A step beside other tasks takes {of_alone:.3f} times the CPU time "
        "of one of a task alone."
    )
    return of_alone


class _StepClock(keras.callbacks.Callback):
    """The CPU time of the steps of epochs, without what `fit` prepares."""

    def __init__(self):
        super().__init__()
        self.seconds = 0.0

    def on_epoch_begin(self, epoch, logs=None):
        self._begin = time.process_time()

    def on_train_batch_end(self, batch, logs=None):
        self._end = time.process_time()

    def on_epoch_end(self, epoch, logs=None):
        self.seconds += self._end - self._begin


def _ways(options, clock):
    """Functions that train for an epoch of half the steps of each task."""
    tokenizer = make_tokenizer(options)
    # `--steps` of both together, an even number.
    count = options.steps // 2 * options.batch_size
    texts = make_examples(count, options)
    rows = tasks.TokenizedExamples(texts, tokenizer, options.length)
    teacher = make_classifier(options.teacher, options)
    loss = losses.LogitsDistillation()
    backbone = make_classifier(options.student, options).backbone
    student = models.MultiTaskModel(
        {
            name: keras_hub.models.BertTextClassifier(backbone, 2)
            for name in (_TAUGHT, _LABELS)
        }
    )
    together = keras_distill.MultiTaskDistiller(
        student, {_TAUGHT: teacher}, loss
    )
    alone = (
        keras_distill.Distiller(
            teacher, make_classifier(options.student, options), loss
        ),
        keras_distill.Distiller(
            None,
            make_classifier(options.student, options),
            None,
            student_loss_weight=1,
        ),
    )
    for model in (together, *alone):
        compile_model(model)
    order = {"batch_size": options.batch_size, "shuffle": True, "seed": _SEED}

    def in_turns():
        examples = data.MultiTaskExamples({_TAUGHT: rows, _LABELS: rows})
        together.fit(examples.batches(**order), verbose=0, callbacks=[clock])

    def one_after_the_other():
        for model in alone:
            model.fit(rows.batches(**order), verbose=0, callbacks=[clock])

    return {_TOGETHER: in_turns, _ALONE: one_after_the_other}


if __name__ == "__main__":
    main()
