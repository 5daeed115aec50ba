"""One forward pass of a model as named tensors."""

import keras

from keras_distill.checks.model_of import model_of
from keras_distill.features import names
from keras_distill.features.description import describe
from keras_distill.features.rebuild import rebuild
from keras_distill.features.rebuild import symbolic_inputs
from keras_distill.features.recorder import FeatureRecorder


class FeatureExtractor(keras.Model):
    """One forward pass of a model as named tensors.

    The extractor is a functional model over the model's own layers: it
    shares every weight with it and computes only what is asked for, nothing
    above. It sees into KerasHub's BERT-like backbones and classifiers, a
    nested backbone included, into any functional Keras model by the names of
    its layers, and into other models through a
    `keras_distill.features.FeatureAdapter`.

    Features:

    - `"embeddings"`, `(B, L, D)`: what enters the first transformer layer.
    - `"hidden_states.3"`, `(B, L, D)`: what leaves the third one. Layer 0 is
      the embeddings.
    - `"attention_scores.3"`, `(B, H, L, L)`: scaled, before mask and softmax.
    - `"attention_probabilities.3"`, `(B, H, L, L)`: after the masked softmax,
      before dropout.
    - `"queries.3"`, `"keys.3"`, `"values.3"`, `(B, L, H, D / H)`.
    - `"pooled"`, `(B, D)`; `"logits"`, the model's output if it is one
      tensor; `"padding_mask"`, `(B, L)`.
    - `"layer.my_dense"`: the output of a layer by its name; of a nested
      model `"layer.my_encoder/my_dense"`.
    - `"outputs"`: what the model itself returns; `"output.start"`, one
      tensor of it where it returns several.

    A kind without a number, such as `"hidden_states"`, asks for all layers
    (the embeddings included). Padded positions hold whatever the model
    computes there; the losses leave them out.

    Args:
        model: `keras.Model`. The model to look into.
        features: str or iterable of str. The features to compute.
        name: Optional str. Name of the extractor.
        description: Optional `ModelDescription` of the model, if it is known
            already: to find it costs as much as to build the model.

    Call arguments:
        inputs: What the model takes.
        training: bool. Whether dropout is on. Defaults to `False`.

    Returns:
        dict of feature name to tensor.

    Raises:
        ValueError: If the model has no such feature (the message lists those
            it has), or more than one tensor could be meant: the layer is
            called again, or transformer layers stand side by side.

    Example:

    ```python
    import keras_hub
    import numpy as np
    import keras_distill

    backbone = keras_hub.models.BertBackbone(
        vocabulary_size=100, num_layers=2, num_heads=2, hidden_dim=8,
        intermediate_dim=16, max_sequence_length=32,
    )
    extractor = keras_distill.features.FeatureExtractor(
        backbone, ["hidden_states", "attention_scores.2"]
    )
    ids = np.ones((3, 5), "int32")
    features = extractor(
        {"token_ids": ids, "segment_ids": 0 * ids, "padding_mask": ids}
    )
    print({name: tuple(value.shape) for name, value in features.items()})
    ```
    """

    def __init__(self, model, features, name=None, description=None):
        model = model_of(model)
        wanted = expand_features(model, features, description)
        inputs = symbolic_inputs(model)
        recorder = FeatureRecorder(wanted)
        rebuild(model, inputs, recorder)
        for feature in wanted:
            if recorder.is_ambiguous(feature):
                raise ValueError(
                    f"`features` asks for '{feature}', which model "
                    f"'{model.name}' has more than once: it calls a layer "
                    "again, or transformer layers stand side by side. Name "
                    "another layer ('layer.<path>'), or register an adapter."
                )
        super().__init__(
            inputs=inputs,
            outputs={feature: recorder.features[feature] for feature in wanted},
            name=name or f"{model.name}_features",
        )


def expand_features(model, features, description=None):
    """Checks the names of features and writes out those of all layers.

    Args:
        model: `keras.Model`.
        features: str or iterable of str.
        description: Optional `ModelDescription` of the model.

    Returns:
        list of str, each named once, in the order given.

    Raises:
        ValueError: If the model does not have one of them, or shows none.
    """
    description = description or describe(model)
    if description.is_opaque:
        raise ValueError(
            f"`FeatureExtractor` cannot look into '{model.name}', a "
            "subclassed model. Register an adapter for "
            f"{type(model).__name__} with "
            "`keras_distill.features.register_adapter`."
        )
    if isinstance(features, str):
        features = [features]
    expanded = []
    for feature in features:
        if feature in names.LAYER_KINDS and description.num_layers:
            first = 0 if feature == names.HIDDEN_STATES else 1
            expanded += [
                names.layer_feature(feature, layer)
                for layer in range(first, description.num_layers + 1)
            ]
        else:
            kind, _, layer = feature.partition(".")
            expanded.append(
                names.EMBEDDINGS
                if (kind, layer) == (names.HIDDEN_STATES, "0")
                else feature
            )
    for feature in expanded:
        if feature != names.OUTPUTS:
            description.shape(feature)
    return list(dict.fromkeys(expanded))
