"""What the KerasHub tasks of this library have in common."""

from collections.abc import Mapping

import keras

from keras_distill.models.saving import SavedWhole


class OwnTask(SavedWhole):
    """A KerasHub task that is saved whole, and takes token ids as well.

    It comes before KerasHub's class among the bases.
    """

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
