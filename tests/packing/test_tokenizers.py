"""The ids are those of `tokenizers`, in Python and in a graph."""

import pytest

from keras_distill import packing
from tests.packing.conftest import HARD_LINES
from tests.packing.conftest import MAKERS
from tests.packing.conftest import TEXTS


def expected(reference, texts):
    encoded = reference.encode_batch(texts, add_special_tokens=False)
    return [row.ids for row in encoded]


def differences(texts, found, wanted):
    return [
        (text, mine, theirs)
        for text, mine, theirs in zip(texts, found, wanted, strict=True)
        if list(mine) != theirs
    ]


@pytest.mark.parametrize("name", MAKERS)
def test_ids_in_python(folder_of, name):
    folder, reference = folder_of(name)
    tokenizer = packing.huggingface_tokenizer(folder, 1000)
    texts = [*HARD_LINES, *TEXTS]
    assert not differences(texts, tokenizer(texts), expected(reference, texts))


@pytest.mark.tensorflow("a graph")
@pytest.mark.parametrize("name", MAKERS)
def test_ids_in_a_graph(folder_of, name):
    import tensorflow as tf

    folder, reference = folder_of(name)
    tokenizer = packing.huggingface_tokenizer(folder, 1000)
    texts = [*HARD_LINES, *TEXTS]
    rows = tf.data.Dataset.from_tensors(texts).map(tokenizer)
    found = next(iter(rows)).to_list()
    assert not differences(texts, found, expected(reference, texts))
