"""Packing in the served graph equals KerasHub's packer."""

import keras_hub
import numpy as np
import pytest
import tensorflow as tf

from keras_distill.packing import Layout
from keras_distill.packing.graph_packer import GraphPacker
from keras_distill.packing.graph_packer import pack_tokens
from keras_distill.packing.graph_tokenizer import graph_tokenizer

START, END, PAD = 101, 102, 0
LENGTHS = [(0, 0), (1, 0), (0, 9), (9, 0), (9, 9), (2, 9), (9, 2), (3, 3)]


def make_layout(truncate="round_robin", separator=(END,)):
    return Layout((START,), separator, (END,), PAD, truncate)


def make_segments(num_texts):
    """Ragged token ids of every mix of lengths; each token is its own id."""
    return [
        tf.ragged.constant(
            [
                list(range(10 * text + 1, 10 * text + 1 + row[text]))
                for row in LENGTHS
            ],
            dtype=tf.int32,
        )
        for text in range(num_texts)
    ]


@pytest.mark.parametrize("separator", [(END,), (END, END)])
@pytest.mark.parametrize("truncate", ["round_robin", "waterfall"])
@pytest.mark.parametrize("num_texts", [1, 2])
def test_equals_the_packer_of_keras_hub(num_texts, truncate, separator):
    packer = keras_hub.layers.MultiSegmentPacker(
        sequence_length=9,
        start_value=START,
        sep_value=list(separator),
        end_value=END,
        pad_value=PAD,
        truncate=truncate,
    )
    segments = make_segments(num_texts)
    token_ids, segment_ids = packer(tuple(segments))
    packed = pack_tokens(segments, make_layout(truncate, separator), 9)
    assert all(values.dtype == tf.int32 for values in packed.values())
    np.testing.assert_array_equal(packed["token_ids"], token_ids)
    np.testing.assert_array_equal(packed["segment_ids"], segment_ids)
    np.testing.assert_array_equal(packed["padding_mask"], token_ids != PAD)


def test_pads_to_the_longest_row_only():
    segments = [tf.ragged.constant([[7], [7, 8]], dtype=tf.int32)]
    packed = pack_tokens(segments, make_layout(), 9)
    assert packed["token_ids"].numpy().tolist() == [
        [START, 7, END, PAD],
        [START, 7, 8, END],
    ]
    assert packed["segment_ids"].numpy().tolist() == [[0] * 4] * 2
    assert packed["padding_mask"].numpy().tolist() == [[1, 1, 1, 0], [1] * 4]


def test_a_token_that_is_that_of_padding_is_no_padding():
    segments = [tf.ragged.constant([[PAD, 8], [7]], dtype=tf.int32)]
    packed = pack_tokens(segments, make_layout(), 9)
    assert packed["padding_mask"].numpy().tolist() == [[1] * 4, [1, 1, 1, 0]]


def test_an_empty_batch_keeps_the_special_columns():
    empty = tf.RaggedTensor.from_row_splits(tf.zeros([0], tf.int32), [0])
    for num_texts, width in [(1, 2), (2, 3)]:
        packed = pack_tokens([empty] * num_texts, make_layout(), 9)
        assert {values.shape for values in packed.values()} == {(0, width)}


@pytest.mark.parametrize("truncate", ["round_robin", "waterfall"])
def test_keeps_as_many_tokens_as_arrays_do(truncate):
    layout = make_layout(truncate)
    first, second = [9, 2, 9, 3, 5], [9, 9, 1, 3, 9]
    kept = layout.kept_lengths(
        [tf.constant(first), tf.constant(second)], 10, tf
    )
    expected = layout.kept_lengths([np.array(first), np.array(second)], 10)
    np.testing.assert_array_equal(kept, expected)


def test_a_tokenizer_is_traced_once_for_training_and_serving(tokenizer):
    assert GraphPacker(tokenizer, 8).tokenize is graph_tokenizer(tokenizer)
