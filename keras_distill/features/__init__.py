"""One forward pass of a model as named tensors."""

from keras_distill.features import transformer_encoder
from keras_distill.features.adapters import FeatureAdapter
from keras_distill.features.adapters import register_adapter
from keras_distill.features.description import ModelDescription
from keras_distill.features.description import describe
from keras_distill.features.feature_extractor import FeatureExtractor
from keras_distill.features.forward import FeatureForward
from keras_distill.features.forward import select_inputs
from keras_distill.features.recorder import FeatureRecorder
from keras_distill.features.weights_below import weights_below

# Importing the module registers the adapter of KerasHub's block.
del transformer_encoder

__all__ = [
    "FeatureAdapter",
    "FeatureExtractor",
    "FeatureForward",
    "FeatureRecorder",
    "ModelDescription",
    "describe",
    "register_adapter",
    "select_inputs",
    "weights_below",
]
