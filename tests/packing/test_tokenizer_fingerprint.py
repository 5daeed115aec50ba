"""Tokenizers that give other token ids have other fingerprints."""

import json

import keras_hub

from keras_distill.packing import huggingface_tokenizer
from keras_distill.packing.tokenizer_fingerprint import tokenizer_fingerprint

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
