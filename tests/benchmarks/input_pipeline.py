"""Whether a small student waits for its input.

    python -m tests.benchmarks.input_pipeline --help

The same rows are tokenised, put into batches, and trained on: from batches
that are kept in memory, and from batches that are made as training goes. The
four take turns. What the last takes longer than the third is waiting.
"""

import os
import statistics

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
from rich.console import Console
from rich.table import Table

from keras_distill import tasks
from tests.benchmarks.classifiers import compile_model
from tests.benchmarks.classifiers import make_classifier
from tests.benchmarks.options import make_parser
from tests.benchmarks.random_texts import make_examples
from tests.benchmarks.random_texts import make_tokenizer
from tests.benchmarks.turns import ratio
from tests.benchmarks.turns import take_turns

_SEED = 0
_TOKENISING = "tokenising, once"
_BATCHING = "making batches, each epoch"
_IN_MEMORY = "training on batches in memory"
_AS_MADE = "training on batches as they are made"


def main(arguments=None):
    """Runs the benchmark and prints its table.

    Args:
        arguments: list of strings. Defaults to `None`, the command line.

    Returns:
        float. The share of its time that training waits for input.
    """
    options = make_parser(
        "input_pipeline",
        "Compares tokenising and batching with a student's training step.",
        steps=100,
    ).parse_args(arguments)
    console = Console()
    keras.utils.set_random_seed(_SEED)
    tokenizer = make_tokenizer(options)
    examples = make_examples(options.steps * options.batch_size, options)
    tokenized = tasks.TokenizedExamples(examples, tokenizer, options.length)
    ways = _ways(options, tokenizer, examples, tokenized)
    seconds = take_turns(ways, options.runs, console)
    return _report(seconds, int(tokenized.lengths.sum()), options, console)


def _ways(options, tokenizer, examples, tokenized):
    """Functions that go through all rows once, by what they do."""
    model = compile_model(make_classifier(options.student, options))
    batches = tokenized.batches(options.batch_size, shuffle=True, seed=_SEED)
    kept = batches.cache()

    def make_batches():
        for batch in batches:
            del batch

    return {
        _TOKENISING: lambda: tasks.TokenizedExamples(
            examples, tokenizer, options.length
        ),
        _BATCHING: make_batches,
        _IN_MEMORY: lambda: model.fit(kept, shuffle=False, verbose=0),
        _AS_MADE: lambda: model.fit(batches, shuffle=False, verbose=0),
    }


def _report(seconds, tokens, options, console):
    """Prints the table; returns the share of time that is waiting."""
    medians = {kind: statistics.median(x) for kind, x in seconds.items()}
    table = Table(
        title=f"student {options.student[0]} x {options.student[1]}, "
        f"{options.steps:,} batches of {options.batch_size} rows"
    )
    table.add_column("")
    for column in ("ms a batch", "batches/s", "tokens/s", "of a step"):
        table.add_column(column, justify="right")
    for kind, median in medians.items():
        table.add_row(
            kind,
            f"{1e3 * median / options.steps:,.2f}",
            f"{options.steps / median:,.0f}",
            f"{tokens / median:,.0f}",
            f"{ratio(seconds, kind, _IN_MEMORY):.1%}",
        )
    console.print(table)
    waiting = max(0.0, 1 - ratio(seconds, _IN_MEMORY, _AS_MADE))
    console.print(f"Training waits {waiting:.1%} of its time for input.")
    return waiting


if __name__ == "__main__":
    main()
