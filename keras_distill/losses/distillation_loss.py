"""What all distillation losses have in common."""

import copy

import keras


class DistillationLoss:
    """Base class: which features are compared, and how.

    A loss holds no weights and no models. It answers two questions: which
    features of the two models belong together (`match`), and how far two
    matched tensors are apart (`per_example`). The value of the loss for an
    example is the sum over its matches. Weights of losses, sample weights,
    means over the batch and trained projections are the distiller's.

    A match may be of several features at once: `per_example` then gets dicts
    of them by name. A loss that sets `reads_labels` is given the labels and
    the sample weights of the batch as well. The more of a batch's examples a
    value depends on, the less it says of one: sample weights still weigh it.

    A number that a callback or a schedule may change, such as a temperature,
    is named in `changing_numbers`. Change any other attribute between two
    steps, and the compiled step is made anew.

    A loss of your own overrides both methods and can be tested with
    `keras_distill.testing.check_distillation_loss`.

    Args:
        name: str. Name of the loss; it is logged as `<name>_loss`.

    Example:

    ```python
    import keras
    from keras_distill import losses


    @keras.saving.register_keras_serializable("my_package")
    class PooledCosine(losses.DistillationLoss):
        def __init__(self, name="pooled"):
            super().__init__(name)

        def match(self, teacher, student):
            return (losses.Match("pooled", "pooled", "pooled, cosine"),)

        def per_example(self, teacher, student, mask=None):
            return losses.functional.cosine_distance(teacher, student)
    ```
    """

    # Whether `per_example` takes `y` and `sample_weight` as well.
    reads_labels = False
    # Attributes that may change while it trains, each a number or a schedule.
    # `per_example` finds a tensor there.
    changing_numbers = ()

    def __init__(self, name):
        if not isinstance(name, str) or not name:
            raise ValueError(
                "`name` of a loss must be a text, under which it is logged. "
                f"Received: name={name!r}"
            )
        self.name = name

    @property
    def reads_padding(self):
        """Whether the teacher's values at padding count, as in some papers'
        official code. A cache does not keep them."""
        return False

    def match(self, teacher, student):
        """Finds the features that belong together.

        Args:
            teacher: `keras_distill.features.ModelDescription`.
            student: `keras_distill.features.ModelDescription`.

        Returns:
            Tuple of `Match`.

        Raises:
            ValueError: If the two models do not fit together.
        """
        raise NotImplementedError

    def per_example(self, teacher, student, mask=None):
        """Compares two matched tensors.

        With `reads_labels` it has two more arguments: `y`, the labels of the
        batch as `fit` was given them, and `sample_weight`, those of the batch
        or `None`.

        Args:
            teacher: Tensor `(B, ...)`; for a match of several features a
                dict of them by name.
            student: Tensor `(B, ...)`, after its projection; or such a dict.
            mask: Optional tensor `(B, L)`, 1 at real tokens, 0 at padding.

        Returns:
            float32 tensor `(B,)`.
        """
        raise NotImplementedError

    def check_numbers(self):
        """Raises a `ValueError` unless `changing_numbers` are as they may be.

        They are checked when they change.
        """

    def with_numbers(self, numbers):
        """This loss as a step sees it.

        Args:
            numbers: dict of the name of each of `changing_numbers` to a
                float32 scalar tensor.

        Returns:
            `DistillationLoss`, of the same class.
        """
        current = copy.copy(self)
        current.__dict__.update(numbers)
        return current

    def get_config(self):
        return {"name": self.name}

    @classmethod
    def from_config(cls, config):
        return cls(**keras.saving.deserialize_keras_object(config))
