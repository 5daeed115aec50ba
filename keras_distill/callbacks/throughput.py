"""How many tokens training has seen, and how many a second."""

import time

import keras

TOKENS = "tokens"
RATE = "tokens_per_second"


class Throughput(keras.callbacks.Callback):
    """Adds to the logs how many tokens were seen, and how many a second.

    They are `tokens`, in all, and `tokens_per_second` since the second batch
    of this process: the first one compiles. `Progress` shows them where it
    stands behind this among the callbacks.

    Args:
        tokens: function of the number of an epoch, from 0, that gives an
            integer array: how many tokens the epoch has up to the end of each
            batch.

    Example:

    ```python
    import numpy as np
    from keras_distill import callbacks

    # 40 batches of 32 rows of 64 tokens.
    callback = callbacks.Throughput(lambda epoch: np.arange(1, 41) * 32 * 64)
    ```
    """

    def __init__(self, tokens):
        super().__init__()
        self._tokens = tokens
        # In the epochs that are over.
        self._before = 0

    def get_state(self):
        return {"before": self._before}

    def set_state(self, state):
        self._before = state["before"]

    def on_train_begin(self, logs=None):
        self._begin = None

    def on_epoch_begin(self, epoch, logs=None):
        self._of_epoch = self._tokens(epoch)
        self._last = -1

    def on_train_batch_end(self, batch, logs=None):
        self._last = batch
        self._add_to(logs)

    def on_epoch_end(self, epoch, logs=None):
        self._add_to(logs)
        self._before = self._seen()

    def _seen(self):
        if self._last < 0:
            return self._before
        return self._before + int(self._of_epoch[self._last])

    def _add_to(self, logs):
        now, seen = time.perf_counter(), self._seen()
        if self._begin is None:
            self._begin = now, seen
        begin, before = self._begin
        if logs is not None:
            logs[TOKENS] = seen
            logs[RATE] = (seen - before) / max(now - begin, 1e-9)
