"""Runs a model once for its outputs and features together."""

import functools
from collections.abc import Mapping

import keras

# Masks travel on tensors, which Keras gives no public access to.
from keras.src.backend import get_keras_mask

from keras_distill.features import names
from keras_distill.features.description import describe
from keras_distill.features.feature_extractor import FeatureExtractor

_HUGGING_FACE_NAMES = {
    "input_ids": "token_ids",
    "attention_mask": "padding_mask",
    "token_type_ids": "segment_ids",
}


class FeatureForward:
    """Runs a model once for its outputs and features together.

    A thin call around a `FeatureExtractor` that takes batches as they come:
    inputs that the model does not know are left out, and a subclassed model
    that nobody can look into still gives its outputs.

    Args:
        model: `keras.Model`.
        features: Iterable of feature names. `"outputs"` and the padding mask
            are added where the model has them.
        role: str. `"teacher"` or `"student"`, for messages.
        with_outputs: bool. Whether the model's own outputs are computed.
        description: Optional `ModelDescription` of the model, if it is known.

    Call arguments:
        inputs: A batch.
        training: bool.

    Returns:
        dict of feature name to tensor or, for `"outputs"`, structure.
    """

    def __init__(self, model, features, role, with_outputs, description=None):
        self.model = model
        self.role = role
        self.description = description or describe(model)
        self.features = tuple(features)
        self._with_outputs = with_outputs
        self._run = model
        if not self.description.is_opaque:
            wanted = list(self.features)
            if with_outputs:
                wanted.append(names.OUTPUTS)
            if names.PADDING_MASK in self.description.shapes:
                wanted.append(names.PADDING_MASK)
            self._run = FeatureExtractor(
                model, wanted, description=self.description
            )

    @property
    def trainable_variables(self):
        """The trainable variables that features and outputs depend on."""
        return self._run.trainable_variables

    @property
    def feature_variables(self):
        """The trainable variables that the features alone depend on."""
        return self._features_alone.trainable_variables

    @functools.cached_property
    def _features_alone(self):
        if self.description.is_opaque or not self._with_outputs:
            return self._run
        return FeatureExtractor(
            self.model, self.features, description=self.description
        )

    def __call__(self, inputs, training):
        inputs = select_inputs(self.model, inputs, self.role)
        result = self._run(inputs, training=training)
        if self.description.is_opaque:
            result = {names.OUTPUTS: result, **names.named_outputs(result)}
        if names.PADDING_MASK not in result:
            mask = _keras_mask(result)
            if mask is not None:
                result[names.PADDING_MASK] = mask
        return result


def select_inputs(model, inputs, role):
    """The part of a batch that a model takes.

    Args:
        model: `keras.Model`.
        inputs: A batch, as `fit` gets it.
        role: str. `"teacher"` or `"student"`, for the message.

    Returns:
        The inputs, without the entries that the model has no input for.

    Raises:
        ValueError: If an input of the model is missing.
    """
    try:
        expected = model.input
    except (AttributeError, ValueError):
        return inputs
    if not isinstance(expected, dict):
        return inputs
    if not isinstance(inputs, Mapping):
        if len(expected) > 1 and hasattr(inputs, "shape"):
            raise ValueError(
                f"The {role} '{model.name}' takes a dict of "
                f"{', '.join(expected)}. Received: one tensor of shape "
                f"{inputs.shape}."
            )
        return inputs
    missing = [key for key in expected if key not in inputs]
    if missing:
        raise ValueError(
            f"The {role} '{model.name}' takes {', '.join(expected)}. "
            f"Received: a batch with {', '.join(map(str, inputs))}; missing: "
            f"{', '.join(missing)}.{_renaming(missing, inputs)}"
        )
    return {key: inputs[key] for key in expected}


def _renaming(missing, inputs):
    """What to do about missing inputs, as far as it is plain."""
    hints = [
        f" Rename '{theirs}' to '{ours}'."
        for theirs, ours in _HUGGING_FACE_NAMES.items()
        if ours in missing and theirs in inputs
    ]
    if "segment_ids" in missing and not any("segment" in h for h in hints):
        hints.append(" 'segment_ids' are all 0 for a single text.")
    return "".join(hints)


def _keras_mask(result):
    """The mask that Keras's own mask-making layers left on an output."""
    for tensor in keras.tree.flatten(result):
        mask = get_keras_mask(tensor)
        if mask is not None and len(mask.shape) == 2:
            return mask
    return None
