"""Other tools read a cache's files, and read no more than they ask for."""

import numpy as np
import pytest
import safetensors

from keras_distill.data import text_hashes

ATTENTION = "attention_scores.1"
HIDDEN = "hidden_states.1"


@pytest.fixture
def cache(write, bert):
    return write(teacher=bert, features=["logits", HIDDEN, ATTENTION])


def test_the_library_reads_slices_of_shards(cache, examples):
    order = np.argsort(examples.ids)
    expected = cache.read(examples.ids[order])
    lengths = examples.lengths[order].tolist()
    with safetensors.safe_open(
        cache.path / "00001.safetensors", framework="numpy"
    ) as file:
        assert file.metadata()["shard"] == "1"
        logits = file.get_slice("logits")
        assert logits.get_shape() == [8, 2]
        np.testing.assert_array_equal(logits[2:5], expected["logits"][10:13])
        ends = file.get_tensor("offsets.1")
        hidden = file.get_slice(HIDDEN)
        assert hidden.get_shape() == [sum(lengths[8:16]), 8]
        for row in range(8):
            tokens = lengths[8 + row]
            np.testing.assert_array_equal(
                hidden[ends[row] : ends[row + 1]],
                expected[HIDDEN][8 + row, :tokens],
            )
        # Of the pairs of tokens, each of two heads.
        ends = 2 * file.get_tensor("offsets.2")
        scores = file.get_slice(ATTENTION)[ends[3] : ends[4]]
        tokens = lengths[11]
        np.testing.assert_array_equal(
            scores.reshape(2, tokens, tokens),
            expected[ATTENTION][11, :, :tokens, :tokens],
        )


def test_the_library_reads_the_index(cache, examples):
    order = np.argsort(examples.ids)
    with safetensors.safe_open(
        cache.path / "examples.safetensors", framework="numpy"
    ) as file:
        data = file.get_tensor("ids").tobytes()
        ends = file.get_tensor("id_offsets")
        found = [data[a:b] for a, b in zip(ends[:-1], ends[1:], strict=True)]
        assert list(map(int, found)) == examples.ids[order].tolist()
        np.testing.assert_array_equal(
            file.get_tensor("lengths"), examples.lengths[order]
        )
        np.testing.assert_array_equal(
            file.get_tensor("text_hashes"), text_hashes(examples)[order]
        )


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_the_library_opens_any_dtype(write, bert, dtype):
    cache = write(teacher=bert, features=["logits", HIDDEN], dtype=dtype)
    names = {"float16": "F16", "bfloat16": "BF16"}
    for path in cache.path.glob("0*.safetensors"):
        with safetensors.safe_open(path, framework="numpy") as file:
            for name in ("logits", HIDDEN):
                assert file.get_slice(name).get_dtype() == names[dtype]


def test_what_is_only_of_texts_knows_no_tokens(write):
    cache = write(features=["logits", "layer.pooled"])
    with safetensors.safe_open(
        cache.path / "examples.safetensors", framework="numpy"
    ) as file:
        assert not {"lengths", "token_hashes"} & set(file.keys())
