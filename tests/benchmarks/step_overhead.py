"""What a step of distillation costs over the arithmetic that it must do.

    python -m tests.benchmarks.step_overhead --help

The least that a step can do is to run the teacher and to train the student as
if alone. It is measured twice: one after the other, and in one step, so that
it pays for one call and one batch as a step with all of TinyBERT's losses
does. All take turns.
"""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
from keras import ops
from rich.console import Console

import keras_distill
from keras_distill import losses
from tests.benchmarks.classifiers import compile_model
from tests.benchmarks.classifiers import make_classifier
from tests.benchmarks.options import make_parser
from tests.benchmarks.random_batches import make_batches
from tests.benchmarks.table import describe_sizes
from tests.benchmarks.table import print_steps
from tests.benchmarks.turns import ratio
from tests.benchmarks.turns import take_turns

_SEED = 0
_TEACHER = "teacher inference"
_STUDENT = "student training"
_SUM = "sum of the two"
_BOTH = "both in one step"
_DISTILLED = "distillation"


def main(arguments=None):
    """Runs the benchmark and prints its table.

    Args:
        arguments: list of strings. Defaults to `None`, the command line.

    Returns:
        tuple of two float: seconds of a step of distillation over those of
        teacher inference and plain training, one after the other, and over
        those of a step that does both.
    """
    options = make_parser(
        "step_overhead",
        "Compares a step with all of TinyBERT's losses with teacher "
        "inference and plain training.",
    ).parse_args(arguments)
    console = Console()
    keras.utils.set_random_seed(_SEED)
    seconds = take_turns(_ways(options), options.runs, console)
    parts = zip(seconds[_TEACHER], seconds[_STUDENT], strict=True)
    seconds[_SUM] = [sum(pair) for pair in parts]
    print_steps(console, describe_sizes(options), seconds, options, _SUM)
    of_sum, of_both = (
        ratio(seconds, _DISTILLED, least) for least in (_SUM, _BOTH)
    )
    console.print(
        f"A step of distillation takes {of_sum:.2f} times as long as teacher "
        f"inference and a plain step, and {of_both:.2f} times as long as one "
        "step that does both."
    )
    return of_sum, of_both


class _TeacherAndStudent(keras.Model):
    """Runs the teacher, and trains the student as if alone."""

    def __init__(self, teacher, student):
        super().__init__(name="teacher_and_student")
        self.student = student
        # Past Keras's tracking, which would train it.
        self.__dict__["teacher"] = teacher

    def call(self, inputs, training=None):
        return self.student(inputs, training=training)

    def train_step(self, data):
        x, _ = data
        logits = self.teacher(x, training=False)
        # What nobody reads, TensorFlow does not compute.
        return {**super().train_step(data), "teacher": ops.mean(logits)}


def _ways(options):
    """Functions that do a run of steps, by what they do."""
    teacher = compile_model(make_classifier(options.teacher, options))
    student = compile_model(make_classifier(options.student, options))
    both = compile_model(
        _TeacherAndStudent(teacher, make_classifier(options.student, options))
    )
    distiller = keras_distill.Distiller(
        teacher,
        make_classifier(options.student, options),
        [
            losses.EmbeddingsDistillation(),
            losses.HiddenStatesDistillation(),
            losses.AttentionDistillation(),
            losses.LogitsDistillation(),
        ],
    )
    compile_model(distiller)
    batches = make_batches(options)
    return {
        _TEACHER: lambda: teacher.predict(batches, verbose=0),
        _STUDENT: lambda: student.fit(batches, shuffle=False, verbose=0),
        _BOTH: lambda: both.fit(batches, shuffle=False, verbose=0),
        _DISTILLED: lambda: distiller.fit(batches, shuffle=False, verbose=0),
    }


if __name__ == "__main__":
    main()
