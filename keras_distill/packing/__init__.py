"""Raw texts to token ids, as the model's own preprocessor makes them."""

from keras_distill.packing.huggingface_tokenizer import huggingface_tokenizer
from keras_distill.packing.layout import Layout
from keras_distill.packing.layout import layout_of
from keras_distill.packing.layout import tokenizer_of
from keras_distill.packing.packer import Packer
from keras_distill.packing.tokenization import well_formed
from keras_distill.packing.vocabulary import check_same_vocabulary
from keras_distill.packing.vocabulary import tokenizer_fingerprint

__all__ = [
    "Layout",
    "Packer",
    "check_same_vocabulary",
    "huggingface_tokenizer",
    "layout_of",
    "tokenizer_fingerprint",
    "tokenizer_of",
    "well_formed",
]
