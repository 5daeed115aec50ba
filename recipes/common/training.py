"""What every model of a recipe is trained with."""

import numpy as np

from keras_distill import callbacks
from keras_distill import optimizers
from keras_distill import schedules


def make_optimizer(config, peak, total_steps=None):
    """BERT's optimizer: no decay of biases and norms, clipped by tensor.

    Args:
        config: `Config`.
        peak: float, the learning rate, or a Keras schedule of it.
        total_steps: Optional int, in batches. With it the rate rises over the
            first tenth of them and falls to 0; without it it is constant.

    Returns:
        `keras_distill.optimizers.AdamW` or `BertAdam`.
    """
    rate = peak
    if total_steps is not None:
        rate = schedules.WarmupLinearDecay(peak, total_steps)
    is_bert_adam = config.optimizer == "bert_adam"
    make = optimizers.BertAdam if is_bert_adam else optimizers.AdamW
    optimizer = make(
        rate,
        weight_decay=config.weight_decay,
        epsilon=1e-6,
        clipnorm=1.0,
        gradient_accumulation_steps=(
            config.accumulate if config.accumulate > 1 else None
        ),
    )
    optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    return optimizer


def tokens_seen(config, rows):
    """A callback that logs how many tokens of a corpus were seen."""

    def tokens(epoch):
        # Whole batches alone are for a TPU.
        only_whole = config.strategy == "tpu"
        sizes = rows.sizes(config.batch_size, config.seed, epoch, only_whole)
        return np.cumsum(sizes[0])

    return callbacks.Throughput(tokens)
