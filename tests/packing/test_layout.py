"""How each family of models packs its texts."""

import dataclasses

import keras_hub
import numpy as np
import pytest

from keras_distill.packing import Layout
from keras_distill.packing import layout_of

PIECES = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "film"]
BYTES = ["<s>", "<pad>", "</s>", "<mask>", "i", "s", "is"]
BERT = Layout((2,), (3,), (3,), 0)
ROBERTA = Layout((0,), (2, 2), (2,), 1)


def byte_pairs(cls=keras_hub.models.RobertaTokenizer):
    ids = {token: index for index, token in enumerate(BYTES)}
    return cls(vocabulary=ids, merges=["i s"])


class OwnTokenizer(keras_hub.models.RobertaTokenizer):
    pass


class OwnBert(keras_hub.models.BertTextClassifierPreprocessor):
    """Packs a sentence pair with a tail of its own."""

    def build(self, input_shape):
        super().build(input_shape)
        self.packer.end_value = [3, 3]


class NoFamily:
    start_token_id, end_token_id, pad_token_id = 5, 6, 7


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (lambda: keras_hub.models.BertTokenizer(PIECES), BERT),
        (lambda: keras_hub.models.DistilBertTokenizer(PIECES), BERT),
        (byte_pairs, ROBERTA),
        (lambda: byte_pairs(OwnTokenizer), ROBERTA),
        (NoFamily, Layout((5,), (6,), (6,), 7)),
    ],
)
def test_of_a_tokenizer_is_that_of_its_family(make, expected):
    assert layout_of(make()) == expected


def test_of_a_preprocessor_is_its_own():
    tokenizer = keras_hub.models.BertTokenizer(PIECES)
    for make in (
        keras_hub.models.BertTextClassifierPreprocessor,
        keras_hub.models.RobertaTextClassifierPreprocessor,
        OwnBert,
    ):
        preprocessor = make(tokenizer, truncate="waterfall")
        found = layout_of(preprocessor)
        assert found.truncate == "waterfall"
        packer = preprocessor.packer
        assert list(found.separator) == packer.sep_value
        assert list(found.end) == packer.end_value
    assert found.end == (3, 3)


def test_a_preprocessor_that_was_used_says_what_it_does():
    tokenizer = keras_hub.models.BertTokenizer(PIECES)
    preprocessor = keras_hub.models.BertTextClassifierPreprocessor(tokenizer)
    preprocessor(["film"])
    preprocessor.packer.truncate = "waterfall"
    assert layout_of(preprocessor).truncate == "waterfall"


def test_every_special_token_counts():
    assert BERT.num_special_tokens(1) == ROBERTA.num_special_tokens(1) == 2
    assert BERT.num_special_tokens(2) == 3
    assert ROBERTA.num_special_tokens(2) == 4


def test_parts_stand_in_order_with_their_segments():
    assert ROBERTA.parts(["a"]) == [(0, (0,)), (0, "a"), (0, (2,))]
    assert ROBERTA.parts(["a", "b"]) == [
        (0, (0,)),
        (0, "a"),
        (0, (2, 2)),
        (1, "b"),
        (1, (2,)),
    ]


ROUND_ROBIN = {
    (3, 4, 7): (3, 4),
    (9, 9, 6): (3, 3),
    (9, 9, 7): (4, 3),
    (2, 9, 7): (2, 5),
    (9, 1, 7): (6, 1),
    (9, 0, 7): (7, 0),
    (0, 9, 7): (0, 7),
}


@pytest.mark.parametrize(("given", "kept"), ROUND_ROBIN.items())
def test_texts_take_turns(given, kept):
    first, second, budget = given
    lengths = [np.array([first]), np.array([second])]
    found = BERT.kept_lengths(lengths, budget + 3)
    assert tuple(int(length[0]) for length in found) == kept


def test_waterfall_serves_the_first_text_first():
    layout = dataclasses.replace(BERT, truncate="waterfall")
    lengths = [np.array([9, 2, 5]), np.array([9, 9, 9])]
    found = layout.kept_lengths(lengths, 7 + 3)
    assert [length.tolist() for length in found] == [[7, 2, 5], [0, 5, 2]]


def test_marked_has_as_many_places():
    assert ROBERTA.marked(-1) == Layout((-1,), (-1, -1), (-1,), -1)


def test_a_row_needs_room_for_a_token():
    ROBERTA.check_room(5, num_texts=2)
    with pytest.raises(ValueError, match="the 4 special tokens. Received: 4"):
        ROBERTA.check_room(4, num_texts=2)


def test_a_tokenizer_without_special_tokens():
    tokenizer = keras_hub.tokenizers.WordPieceTokenizer(["[UNK]", "film"])
    with pytest.raises(ValueError, match="an int `start_token_id`"):
        layout_of(tokenizer)


def test_a_tokenizer_that_pads():
    tokenizer = keras_hub.models.BertTokenizer(PIECES, sequence_length=8)
    with pytest.raises(ValueError, match="Received: sequence_length=8"):
        layout_of(tokenizer)


@pytest.mark.parametrize(
    ("name", "value"),
    [("padding_side", "left"), ("truncate", "random"), ("end_value", ["a"])],
)
def test_a_packer_of_another_kind(name, value):
    preprocessor = keras_hub.models.BertTextClassifierPreprocessor(
        keras_hub.models.BertTokenizer(PIECES)
    )
    preprocessor.build(None)
    setattr(preprocessor.packer, name, value)
    with pytest.raises(ValueError, match="must pack as a keras_hub.layers"):
        layout_of(preprocessor)
