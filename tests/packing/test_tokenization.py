"""Texts become the tokens of the tokenizer."""

import gc
import weakref

import keras_hub
import numpy as np
import pytest

from keras_distill.packing import tokenization


@pytest.mark.tensorflow("One of the two ways is its own.")
def test_both_ways_give_the_same_ids():
    # Letters of each script, accents, punctuation, symbols, spaces; control
    # characters and words beyond any vocabulary.
    texts = [
        "".join(map(chr, range(start, start + 40)))
        for start in (*range(0x20, 0x600, 40), 0x2000, 0x3040, 0x4E00, 0xAC00)
    ]
    texts += ["", " ", "un##good", "[CLS] not [MASK]", "film" * 90, "e\u0301"]
    letters = [chr(code) for code in range(0x21, 0x250)]
    tokenizer = keras_hub.models.BertTokenizer(
        ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *letters]
        + [f"##{letter}" for letter in letters],
        lowercase=True,
    )
    (graph,) = tokenization._tokenize_in_graph((texts,), tokenizer)
    (python,) = tokenization._tokenize_in_python((texts,), tokenizer)
    np.testing.assert_array_equal(python[0].lengths, graph[0].lengths)
    np.testing.assert_array_equal(python[0].values, graph[0].values)


def test_half_a_surrogate_pair_is_no_end_of_the_run(tokenizer):
    chunk = next(tokenization.tokenize((["the film \ud83d"],), tokenizer))
    (wanted,) = tokenizer(["the film \ufffd"])
    assert chunk[0].values.tolist() == list(wanted)


@pytest.mark.tensorflow("A graph is its own.")
def test_the_graph_of_a_tokenizer_is_made_once():
    class Counting(keras_hub.models.BertTokenizer):
        traces = 0

        def call(self, inputs):
            self.traces += 1
            return super().call(inputs)

    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    tokenizer = Counting([*special, "film", "plot"])

    def ids(tokenizer, *columns):
        (chunk,) = tokenization.tokenize(columns, tokenizer)
        return [ragged.values.tolist() for ragged in chunk]

    assert ids(tokenizer, ["film plot"]) == [[5, 6]]
    two = ["plot", "film film"], ["plot", "plot"]
    assert ids(tokenizer, *two) == [[6, 5, 5], [6, 6]]
    assert tokenizer.traces == 1
    # Another vocabulary is another graph.
    tokenizer.set_vocabulary([*special, "plot", "film"])
    assert ids(tokenizer, ["film plot"]) == [[6, 5]]
    assert tokenizer.traces == 2
    # Nothing is kept of what is gone.
    gone = weakref.ref(tokenizer)
    del tokenizer
    gc.collect()
    assert gone() is None
