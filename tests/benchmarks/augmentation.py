"""How fast texts are augmented by a masked language model.

    python -m tests.benchmarks.augmentation --help

The rows a second of `corpora.augmentation`, against one forward of a single
row for each word, as the released script has it: the masked text with the text
itself behind it, and logits at all positions. Weights and words are random, the
lengths those of SST-2. Both take turns on the same cores.
"""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import keras_hub
import numpy as np
from rich.console import Console

from keras_distill import models
from keras_distill.corpora import augmentation
from keras_distill.corpora.augmentation.words import Words
from keras_distill.data.tokenized.predict import compiled
from tests.benchmarks.options import make_parser
from tests.benchmarks.random_texts import make_examples
from tests.benchmarks.random_texts import make_tokenizer
from tests.benchmarks.turns import ratio
from tests.benchmarks.turns import take_turns

_SEED = 0
_CANDIDATES = 15
_BATCHES = "batches of masked positions"
_ONE_BY_ONE = "one forward for each word"


def main(arguments=None):
    """Runs the benchmark and prints its result.

    Args:
        arguments: list of strings. Defaults to `None`, the command line.

    Returns:
        float. How many times as many rows a second.
    """
    options = make_parser(
        "augmentation",
        "Compares augmenting texts in batches with a forward for each word.",
        steps=4,
        runs=3,
    ).parse_args(arguments)
    console = Console()
    keras.utils.set_random_seed(_SEED)
    texts = make_examples(options.steps * options.batch_size, options).texts[0]
    ways, rows = _ways(options, texts)
    seconds = take_turns(ways, options.runs, console)
    for name, times in seconds.items():
        console.print(f"{name}: {rows[name] / np.median(times):,.0f} rows/s")
    times = ratio(seconds, _ONE_BY_ONE, _BATCHES)
    times *= rows[_BATCHES] / rows[_ONE_BY_ONE]
    layers, width = options.teacher
    console.print(
        f"{len(texts)} texts are augmented {times:.2f} times as fast as with "
        f"a forward for each word, by a masked language model of {layers} x "
        f"{width}."
    )
    return times


def _ways(options, texts):
    """Functions that augment the texts, and dicts of how many rows."""
    tokenizer = make_tokenizer(options)
    layers, width = options.teacher
    backbone = keras_hub.models.BertBackbone(
        vocabulary_size=tokenizer.vocabulary_size(),
        num_layers=layers,
        num_heads=options.heads,
        hidden_dim=width,
        intermediate_dim=4 * width,
        max_sequence_length=2 * options.length,
    )
    masked_lm = models.MaskedLanguageModel(
        backbone,
        keras_hub.models.MaskedLMPreprocessor(tokenizer, options.length),
    )
    rows = {}

    def augment(name, found):
        augmenter = augmentation.Augmenter(found)

        def way():
            rows[name] = sum(map(len, augmenter.variants(texts)))

        return way

    ways = {
        _BATCHES: augment(
            _BATCHES, augmentation.MaskedLMWords(masked_lm, _CANDIDATES)
        ),
        _ONE_BY_ONE: augment(_ONE_BY_ONE, _OneByOne(masked_lm)),
    }
    return ways, rows


class _OneByOne:
    """Candidates from one forward for each word of one piece."""

    is_uncased = True

    def __init__(self, masked_lm):
        self._masked_lm = masked_lm
        self._tokenizer = masked_lm.preprocessor.tokenizer
        self._vocabulary = self._tokenizer.get_vocabulary()
        self._run = None
        self._known = {}

    def find(self, texts):
        return [self._of_text(words) for words in texts]

    def _of_text(self, words: Words):
        found = {}
        pieces = [self._ids(word) for word in words.words]
        ids = [piece for of_word in pieces for piece in of_word]
        start, end = (
            self._tokenizer.start_token_id,
            self._tokenizer.end_token_id,
        )
        for place in words.replaceable:
            if len(pieces[place]) > 1:
                continue
            position = 1 + sum(map(len, pieces[:place]))
            row = np.array([[start, *ids, end, *ids, end]], "int32")
            row[0, position] = self._tokenizer.mask_token_id
            segments = np.zeros_like(row)
            segments[0, len(ids) + 2 :] = 1
            logits = self._logits(row, segments)[0, position]
            best = np.argsort(-logits)[:_CANDIDATES]
            found[place] = [
                self._vocabulary[piece]
                for piece in best
                if not self._vocabulary[piece].startswith("##")
            ]
        return found

    def _ids(self, word):
        # The tokenizer's own time is not what is compared.
        if word not in self._known:
            self._known[word] = np.asarray(self._tokenizer(word)).tolist()
        return self._known[word]

    def _logits(self, row, segments):
        x = {
            "token_ids": row,
            "segment_ids": segments,
            "padding_mask": np.ones_like(row),
            "mask_positions": np.arange(row.shape[1], dtype="int32")[None],
        }
        if self._run is None:
            self._run = compiled(self._masked_lm, x)
        return keras.ops.convert_to_numpy(self._run(x))


if __name__ == "__main__":
    main()
