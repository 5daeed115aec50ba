"""Raw texts to token ids, as the model's own preprocessor makes them."""

from keras_distill.packing.huggingface_tokenizer import huggingface_tokenizer
from keras_distill.packing.layout import Layout
from keras_distill.packing.layout import layout_of
from keras_distill.packing.layout import tokenizer_of
from keras_distill.packing.well_formed import well_formed

__all__ = [
    "Layout",
    "huggingface_tokenizer",
    "layout_of",
    "tokenizer_of",
    "well_formed",
]
