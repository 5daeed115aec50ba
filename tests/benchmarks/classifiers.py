"""The BERT classifiers that benchmarks train."""

import keras
import keras_hub


def make_classifier(sizes, options, dtype=None):
    """Builds a classifier of two classes with random weights.

    Args:
        sizes: tuple of int: layers and width.
        options: Namespace of `options.make_parser`.
        dtype: Optional dtype policy.

    Returns:
        `keras_hub.models.BertTextClassifier` that takes token ids.
    """
    num_layers, width = sizes
    backbone = keras_hub.models.BertBackbone(
        vocabulary_size=options.vocabulary_size,
        num_layers=num_layers,
        num_heads=options.heads,
        hidden_dim=width,
        intermediate_dim=4 * width,
        max_sequence_length=options.length,
        dtype=dtype,
    )
    return keras_hub.models.BertTextClassifier(
        backbone, num_classes=2, dtype=dtype
    )


def compile_model(model, jit_compile=False, steps_per_execution=1):
    """Compiles a classifier or a distiller for training.

    Args:
        model: `keras.Model` with one output, the logits.
        jit_compile: bool. Defaults to `False`: XLA would compile anew for
            every length.
        steps_per_execution: int. Defaults to `1`.

    Returns:
        The model.
    """
    model.compile(
        optimizer=keras.optimizers.AdamW(1e-4),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        jit_compile=jit_compile,
        steps_per_execution=steps_per_execution,
    )
    return model
