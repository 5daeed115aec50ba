"""The same encoder under another head, or the same model from its start."""


def with_new_head(model, num_classes, sequence_length):
    """A model with the same encoder weights, and a new head of another size.

    Args:
        model: KerasHub task over texts or words.
        num_classes: int. Outputs of the new head.
        sequence_length: int. Most tokens of an example.

    Returns:
        A task of the same class with weights of its own.

    Example:

    ```python
    from keras_distill import students
    from keras_distill import teachers

    model = teachers.load_teacher("minilm", 2, sequence_length=64).classifier
    other = students.with_new_head(model, num_classes=3, sequence_length=32)
    assert other.num_classes == 3
    ```
    """
    copy = from_its_start(model, num_classes, sequence_length)
    copy.backbone.set_weights(model.backbone.get_weights())
    return copy


def from_its_start(model, num_classes=None, sequence_length=None):
    """A model of the same size and tokenizer, with random weights.

    Args:
        model: KerasHub task over texts or words.
        num_classes: Optional int. Its outputs. Defaults to the model's.
        sequence_length: Optional int. Most tokens of an example. Defaults to
            the model's.

    Returns:
        A task of the same class.

    Example:

    ```python
    from keras_distill import students
    from keras_distill import teachers

    model = teachers.load_teacher("minilm", 2, sequence_length=64).classifier
    fresh = students.from_its_start(model)
    assert fresh.count_params() == model.count_params()
    ```
    """
    backbone = model.backbone
    fresh = type(backbone).from_config(backbone.get_config())
    config = model.get_config()
    config.update(
        backbone=fresh,
        num_classes=num_classes or model.num_classes,
        preprocessor=type(model.preprocessor)(
            model.preprocessor.tokenizer,
            sequence_length=sequence_length
            or model.preprocessor.sequence_length,
            truncate=model.preprocessor.truncate,
        ),
    )
    del config["name"]
    return type(model)(**config)
