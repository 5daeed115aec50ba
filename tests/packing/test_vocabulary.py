"""Models that read token ids differently are told apart."""

import json

import keras
import keras_hub
import pytest

from keras_distill.packing import check_same_vocabulary
from keras_distill.packing import huggingface_tokenizer
from keras_distill.packing import tokenizer_fingerprint


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


SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]


def make(words=("good", "film"), **options):
    return keras_hub.models.BertTokenizer([*SPECIAL, *words], **options)


def test_names_do_not_count():
    first, second = make(), make(name="another")
    assert tokenizer_fingerprint(first) == tokenizer_fingerprint(second)


def test_vocabulary_order_and_options_count():
    tokenizers = [
        make(),
        make(["film", "good"]),
        make(["good"]),
        make(lowercase=True),
    ]
    assert len({tokenizer_fingerprint(x) for x in tokenizers}) == 4


def test_a_tokenizer_that_shows_no_vocabulary_has_none():
    assert tokenizer_fingerprint(object()) is None


def test_merges_count():
    class Merging:
        def __init__(self, merges):
            self.merges = merges

        def get_config(self):
            return {}

        def get_vocabulary(self):
            return ["a", "b", "ab"]

    found = [tokenizer_fingerprint(Merging(merges)) for merges in ([], ["a b"])]
    assert found[0] != found[1]


def test_what_happens_to_a_text_counts(tmp_path):
    words = [*SPECIAL, "cafe"]
    (tmp_path / "vocab.txt").write_text("\n".join(words), encoding="utf-8")

    def read(**options):
        config = tmp_path / "tokenizer_config.json"
        config.write_text(json.dumps(options))
        return tokenizer_fingerprint(huggingface_tokenizer(tmp_path, 6))

    read_with = [{}, {"do_lower_case": False}, {"strip_accents": False}]
    assert len({read(**options) for options in read_with}) == 3
    assert read() == read(do_lower_case=True)
