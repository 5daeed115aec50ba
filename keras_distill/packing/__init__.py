"""Raw texts to token ids, as the model's own preprocessor makes them."""

from keras_distill.packing.huggingface_tokenizer import huggingface_tokenizer
from keras_distill.packing.well_formed import well_formed

__all__ = ["huggingface_tokenizer", "well_formed"]
