"""Single-task batches of several tasks, as Keras's `fit` reads its data."""

# The one way to give Keras batches that are not all of one structure.
from keras.src.trainers.data_adapters.data_adapter import DataAdapter
from keras.src.trainers.data_adapters.data_adapter_utils import (
    get_torch_dataloader,
)


class MixedBatches(DataAdapter):
    """Single-task batches of several tasks, as Keras's `fit` reads its data."""

    def __init__(self, batches, strategy=None):
        self.batches = batches
        self._strategy = strategy

    @property
    def num_batches(self):
        return len(self.batches)

    def get_tf_dataset(self):
        from keras_distill.train_steps.multi_task.tensorflow import MixedDataSet

        return MixedDataSet(self.batches, self._strategy)

    def get_jax_iterator(self):
        return self.batches

    def get_torch_dataloader(self):
        # Keras's own: it draws a random number when a pass begins.
        return get_torch_dataloader(self.batches)
