"""What the KerasHub tasks of this library have in common."""

from collections.abc import Mapping

import keras

from keras_distill.models.saving import SavedWhole


class OwnTask(SavedWhole):
    """A KerasHub task that is saved whole, and takes token ids as well.

    It comes before KerasHub's class among the bases.
    """

    # The ids of those variables of the backbone that the outputs do not
    # depend on, such as a pooler's. A class sets them before it is built.
    _idle = frozenset()

    # Keras would build the optimizer for an idle pooler, and warn in each fit
    # that it has no gradient.
    @property
    def trainable_variables(self):
        return self._without_idle(super().trainable_variables)

    @property
    def trainable_weights(self):
        return self._without_idle(super().trainable_weights)

    def preprocess_samples(self, x, y=None, sample_weight=None):
        """Runs the preprocessor, but on what is tokenised already.

        Args:
            x: Texts, or a dict with `"token_ids"`.
            y: Optional labels.
            sample_weight: Optional sample weights.

        Returns:
            The batch as Keras takes it.
        """
        if isinstance(x, Mapping) and "token_ids" in x:
            return keras.utils.pack_x_y_sample_weight(x, y, sample_weight)
        return super().preprocess_samples(x, y, sample_weight)

    def _without_idle(self, variables):
        return [v for v in variables if id(v) not in self._idle]


class CompiledByDefault:
    """A task that overrides `compile`, and is saved as it was compiled.

    Keras leaves what is saved of it to any class that overrides `compile`.
    """

    def get_compile_config(self):
        config = super().get_compile_config()
        if config is not None:
            # Keras takes the state of an optimizer for that of a built one
            # only if there is any.
            config["has_trained"] = self.optimizer.built
        return config

    def compile_from_config(self, config):
        arguments = keras.saving.deserialize_keras_object(config)
        has_trained = arguments.pop("has_trained")
        self.compile(**arguments)
        if has_trained:
            self.optimizer.build(self.trainable_variables)


def idle_variables(backbone, outputs):
    """The ids of those variables that outputs do not depend on."""
    used = keras.Model(backbone.input, outputs).variables
    used = {id(v) for v in used}
    return frozenset(id(v) for v in backbone.variables if id(v) not in used)
