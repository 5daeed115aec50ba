"""What every model of a recipe is trained with."""

import numpy as np

from keras_distill import callbacks
from keras_distill import optimizers
from keras_distill import schedules


def make_optimizer(config, peak, total_steps=None):
    """The optimizer of a recipe, without decay of biases and norms.

    BERT's own, AdamW, clips by tensor; Adamax, as MT-DNN has it, all of them
    by their norm together.

    Args:
        config: `Config`.
        peak: float, the learning rate, or a Keras schedule of it.
        total_steps: Optional int, in batches. With it the rate rises over the
            first tenth of them and falls to 0; without it it is constant.

    Returns:
        `keras_distill.optimizers.AdamW`, `BertAdam` or `Adamax`.
    """
    rate = peak
    if total_steps is not None:
        rate = schedules.WarmupLinearDecay(peak, total_steps)
    make, options = {
        "adamw": (optimizers.AdamW, {"epsilon": 1e-6, "clipnorm": 1.0}),
        "bert_adam": (optimizers.BertAdam, {"epsilon": 1e-6, "clipnorm": 1.0}),
        "adamax": (optimizers.Adamax, {"global_clipnorm": 1.0}),
    }[config.optimizer]
    optimizer = make(
        rate,
        weight_decay=config.weight_decay,
        gradient_accumulation_steps=(
            config.accumulate if config.accumulate > 1 else None
        ),
        **options,
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
