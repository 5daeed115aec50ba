"""What raw text costs over batches that are tokenised by hand.

    python -m tests.benchmarks.raw_text --help

An epoch of distillation on texts, and one on the batches of
`TokenizedExamples`, which is told here to shuffle in the same order. Both
tokenise first. They take turns, and their CPU time is compared, which does not
depend on what else the machine does.
"""

import os
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import keras_hub
import numpy as np
from rich.console import Console

import keras_distill
from keras_distill import losses
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
_RAW_TEXT = "raw text"
_BY_HAND = "batches by hand"


def main(arguments=None):
    """Runs the benchmark and prints its table.

    Args:
        arguments: list of strings. Defaults to `None`, the command line.

    Returns:
        float. The CPU time of an epoch on raw text over that of one on
        batches that are tokenised by hand.
    """
    options = make_parser(
        "raw_text",
        "Compares an epoch on raw text with one on batches by hand.",
        steps=50,
    ).parse_args(arguments)
    console = Console()
    keras.utils.set_random_seed(_SEED)
    ways = _ways(options)
    seconds = take_turns(ways, options.runs, console, time.process_time)
    title = f"CPU time; {describe_sizes(options)} at most"
    print_steps(console, title, seconds, options, _BY_HAND)
    of_hand = ratio(seconds, _RAW_TEXT, _BY_HAND)
    console.print(
        f"An epoch on raw text takes {of_hand:.3f} times the CPU time of one "
        "on batches that are tokenised by hand."
    )
    return of_hand


def _ways(options):
    """Functions that train for an epoch, by what they train on."""
    preprocessor = keras_hub.models.BertTextClassifierPreprocessor(
        make_tokenizer(options), sequence_length=options.length
    )
    teacher, student = (
        make_classifier(sizes, options)
        for sizes in (options.teacher, options.student)
    )
    teacher.preprocessor = student.preprocessor = preprocessor
    distiller = keras_distill.Distiller(
        teacher, student, losses.LogitsDistillation()
    )
    compile_model(distiller)
    examples = make_examples(options.steps * options.batch_size, options)
    texts, labels = examples.texts[0], examples.labels

    def on_raw_text():
        keras.utils.set_random_seed(_SEED)
        distiller.fit(texts, labels, options.batch_size, verbose=0)

    def by_hand():
        keras.utils.set_random_seed(_SEED)
        rows = tasks.TokenizedExamples(
            tasks.Examples((texts,), labels), preprocessor
        )
        # The order that `fit` chooses.
        seed = int(np.random.randint(2**31))
        batches = rows.batches(options.batch_size, shuffle=True, seed=seed)
        distiller.fit(batches, verbose=0)

    return {_RAW_TEXT: on_raw_text, _BY_HAND: by_hand}


if __name__ == "__main__":
    main()
