"""Models that read token ids differently are told apart."""

import keras
import keras_hub
import pytest

from keras_distill.packing.vocabulary import check_same_vocabulary


def backbone(vocabulary_size):
    return keras_hub.models.BertBackbone(
        vocabulary_size=vocabulary_size,
        num_layers=1,
        num_heads=2,
        hidden_dim=8,
        intermediate_dim=16,
    )


class Reader(keras.Model):
    """Models that read token ids differently are told apart."""

    class Preprocessor:
        pass

    def __init__(self, vocabulary, **options):
        super().__init__()
        preprocessor = self.Preprocessor()
        preprocessor.tokenizer = keras_hub.models.BertTokenizer(
            vocabulary=[
                "[PAD]",
                "[UNK]",
                "[CLS]",
                "[SEP]",
                "[MASK]",
                *vocabulary,
            ],
            **options,
        )
        self.__dict__["preprocessor"] = preprocessor


def test_equal_tokenizers_pass():
    check_same_vocabulary(Reader(["a", "b"]), Reader(["a", "b"]))


def test_the_first_token_that_differs_is_named():
    with pytest.raises(
        ValueError, match="token 6 is 'b' to the teacher and 'c'"
    ):
        check_same_vocabulary(Reader(["a", "b", "d"]), Reader(["a", "c", "d"]))


def test_without_tokenizers_the_sizes_are_compared():
    check_same_vocabulary(backbone(20), backbone(20))
    with pytest.raises(ValueError, match="has 20 tokens and the student's 30"):
        check_same_vocabulary(backbone(20), backbone(30))


def test_models_without_a_vocabulary_pass():
    x = keras.Input((4,))
    model = keras.Model(x, keras.layers.Dense(2)(x))
    check_same_vocabulary(model, backbone(20))


def test_another_lower_case_is_another_tokenizer():
    with pytest.raises(ValueError, match="lowercase is False to the teacher"):
        check_same_vocabulary(
            Reader(["a", "b"]), Reader(["a", "b"], lowercase=True)
        )


def test_accents_that_one_strips_are_another_tokenizer():
    with pytest.raises(ValueError, match="strip_accents is True to the teach"):
        check_same_vocabulary(
            Reader(["a", "b"], strip_accents=True), Reader(["a", "b"])
        )
