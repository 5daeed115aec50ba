"""What general distillation over plain text costs, and what reading it does.

    python -m tests.benchmarks.general_distillation --help

A step with the losses of general distillation is compared with teacher
inference and plain training on the same rows, and the reading of plain text
(sentences, pieces, pairs, rows and batches) with the training that it feeds.
All take turns, and their CPU time is compared, which does not depend on what
else the machine does.
"""

import os
import pathlib
import shutil
import statistics
import tempfile
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import keras_hub
import numpy as np
from rich.console import Console

import keras_distill
from keras_distill import corpora
from keras_distill import losses
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
_SENTENCES = 20
_TEACHER = "teacher inference"
_STUDENT = "student training"
_SUM = "sum of the two"
_DISTILLED = "general distillation"
_READING = "reading, pairing, packing"


def main(arguments=None):
    """Runs the benchmark and prints its table.

    Args:
        arguments: list of strings. Defaults to `None`, the command line.

    Returns:
        tuple of two float: the CPU time of a step over that of teacher
        inference and a plain step, and the share of reading in that of
        training.
    """
    parser = make_parser(
        "general_distillation",
        "Compares a step of general distillation with teacher inference and "
        "plain training, and the reading of plain text with training.",
        student=(3, 132),
    )
    parser.add_argument(
        "--corpus",
        help="file or folder of plain text in place of random words",
    )
    parser.add_argument(
        "--documents",
        type=int,
        default=2000,
        help="random documents that are read (default: %(default)s)",
    )
    options = parser.parse_args(arguments)
    console = Console()
    keras.utils.set_random_seed(_SEED)
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        ways, read_tokens, trained_tokens = _ways(options, folder)
        seconds = take_turns(ways, options.runs, console, time.process_time)
    parts = zip(seconds[_TEACHER], seconds[_STUDENT], strict=True)
    seconds[_SUM] = [sum(pair) for pair in parts]
    reading = seconds.pop(_READING)
    title = f"CPU time; {describe_sizes(options)}"
    print_steps(console, title, seconds, options, _SUM)
    of_sum = ratio(seconds, _DISTILLED, _SUM)
    each = [
        (one / read_tokens) / (other / trained_tokens)
        for one, other in zip(reading, seconds[_DISTILLED], strict=True)
    ]
    share = statistics.median(each)
    console.print(
        f"A step of general distillation takes {of_sum:.2f} times the CPU "
        "time of teacher inference and a plain step; reading, pairing and "
        f"packing take {share:.1%} of the CPU time of training."
    )
    return of_sum, share


def _ways(options, folder):
    """What is done, the tokens that are read, and those of the steps."""
    preprocessor = keras_hub.models.BertTextClassifierPreprocessor(
        make_tokenizer(options), sequence_length=options.length
    )
    path = options.corpus
    if path is None:
        path = folder / "corpus.txt"
        path.write_text(_text(options))
    else:
        loaded = keras_distill.teachers.load_teacher("minilm", 2, 64)
        preprocessor = loaded.classifier.preprocessor
        options.vocabulary_size = preprocessor.tokenizer.vocabulary_size()

    def read():
        """From plain text to the batches of an epoch."""
        cache = folder / "cache"
        shutil.rmtree(cache, ignore_errors=True)
        corpus = corpora.tokenize_corpus(path, preprocessor, cache)
        rows = corpora.SentencePairs(corpus, options.length)
        for batch in rows.batches(options.batch_size, shuffle=True):
            del batch

    read()
    corpus = corpora.tokenize_corpus(path, preprocessor, folder / "cache")
    rows = corpora.SentencePairs(corpus, options.length)
    batches = rows.batches(
        options.batch_size, shuffle=True, drop_remainder=True, first_batch=0
    )
    batches = batches.take(options.steps)
    tokens, _ = rows.sizes(options.batch_size, drop_remainder=True)
    labels = np.zeros(options.batch_size, "int32")
    labelled = batches.map(lambda x: (x, labels))
    teacher, student, followed = (
        compile_model(make_classifier(sizes, options))
        for sizes in (options.teacher, options.student, options.student)
    )
    distiller = keras_distill.Distiller(
        teacher,
        followed,
        [
            losses.HiddenStatesDistillation(
                include_embeddings=True, projection="shared"
            ),
            losses.AttentionDistillation(),
        ],
        student_loss_weight=0,
    )
    distiller.compile(optimizer=keras.optimizers.AdamW(1e-4))
    ways = {
        _READING: read,
        _TEACHER: lambda: teacher.predict(batches, verbose=0),
        _STUDENT: lambda: student.fit(labelled, verbose=0),
        _DISTILLED: lambda: distiller.fit(batches, verbose=0),
    }
    return ways, int(tokens.sum()), int(tokens[: options.steps].sum())


def _text(options):
    """Random documents of random sentences."""
    texts = make_examples(options.documents * _SENTENCES, options).texts[0]
    return "\n\n".join(
        "\n".join(texts[start : start + _SENTENCES])
        for start in range(0, len(texts), _SENTENCES)
    )


if __name__ == "__main__":
    main()
