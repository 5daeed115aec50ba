"""What a model has to show: its features and their shapes."""

import dataclasses

from keras_distill.features import names
from keras_distill.features.adapters import find_adapter
from keras_distill.features.output_activations import activations_by_values
from keras_distill.features.output_activations import is_linear
from keras_distill.features.output_activations import output_activations
from keras_distill.features.rebuild import rebuild
from keras_distill.features.rebuild import symbolic_inputs
from keras_distill.features.recorder import FeatureRecorder

# As KerasHub calls it.
MASK_POSITIONS = "mask_positions"


class NoFeatureError(ValueError):
    """A model does not have a feature that is asked for."""


@dataclasses.dataclass(frozen=True)
class ModelDescription:
    """The features of a model and their shapes, known before it runs.

    Attributes:
        name: str. The model's name.
        num_layers: int. Number of transformer layers that were found.
        shapes: dict of feature name to static shape (a tuple), for every
            feature that is one tensor.
        output_activations: dict of the name of each output to the name of
            the activation that made it, such as `"softmax"`, or `None`; of
            an opaque model what could be told by its values.
        is_opaque: bool. Whether nothing can be known before the model runs:
            a subclassed model without an adapter.
        linear_outputs: tuple of the names of those outputs that are known to
            be no probabilities: a dense layer without an activation made
            them.
        predicts_masked: bool. Whether its outputs are those of its input
            `mask_positions`, so that no padding mask of tokens fits them.
        why_no_more: str. Why it shows nothing of what it computes inside, if
            it does not.
    """

    name: str
    num_layers: int
    shapes: dict
    output_activations: dict
    is_opaque: bool = False
    linear_outputs: tuple = ()
    predicts_masked: bool = False
    why_no_more: str = ""

    def shape(self, feature):
        """The static shape of a feature, or an error that lists what is there.

        Args:
            feature: str. Name of a feature.

        Returns:
            tuple of int or `None`.

        Raises:
            ValueError: If the model has no such feature.
        """
        if feature not in self.shapes:
            reason = f" {self.why_no_more}" if self.why_no_more else ""
            raise NoFeatureError(
                f"Model '{self.name}' has no feature '{feature}'. "
                f"It has: {self.summary()}.{reason}"
            )
        return self.shapes[feature]

    def summary(self):
        """One line that lists the features."""
        if not self.shapes:
            return (
                "only its outputs (it is a subclassed model without a feature "
                "adapter; see `keras_distill.features.register_adapter`)"
            )
        kinds = []
        for name in self.shapes:
            kind = name.split(".")[0]
            if kind in names.LAYER_KINDS:
                kind = f"{kind}.1 to .{self.num_layers}"
            elif kind in (names.LAYER, names.OUTPUT):
                kind = name
            if kind not in kinds:
                kinds.append(kind)
        return ", ".join(kinds)


def describe(model):
    """Finds the features of a model without running it.

    Args:
        model: `keras.Model`.

    Returns:
        `ModelDescription`.
    """
    inputs = symbolic_inputs(model)
    if inputs is None:
        activations = activations_by_values(model)
        return ModelDescription(model.name, 0, {}, activations, is_opaque=True)
    recorder = FeatureRecorder()
    outputs = rebuild(model, inputs, recorder)
    shapes = {
        name: tuple(tensor.shape)
        for name, tensor in recorder.features.items()
        if hasattr(tensor, "shape")
    }
    named = names.named_outputs(outputs)
    return ModelDescription(
        name=model.name,
        num_layers=recorder.num_layers,
        shapes=shapes,
        output_activations=output_activations(model, outputs),
        linear_outputs=tuple(
            name for name, output in named.items() if is_linear(output)
        ),
        predicts_masked=isinstance(inputs, dict) and MASK_POSITIONS in inputs,
        why_no_more=getattr(find_adapter(model), "why_no_more", ""),
    )
