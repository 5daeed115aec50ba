"""The mean of what several models say of the same rows."""

from keras import ops

SOFTMAX = "softmax"
SIGMOID = "sigmoid"
# What makes probabilities of a head's outputs, by what Hugging Face calls the
# kind of problem that it was trained for, or by ours.
ACTIVATIONS = {
    "single_label_classification": SOFTMAX,
    "multi_label_classification": SIGMOID,
    "regression": None,
    # Scores are compared within a query, which no row alone knows.
    "ranking": None,
}


def mean_logits(logits, activation, xp=ops):
    """Logits whose probabilities are the mean of several models'.

    Under `"softmax"`, of the logits `z_k` of `K` models,

    `log(1/K * sum_k softmax(z_k)) + 1/K * sum_k logsumexp(z_k)`

    where the second part, the same for all classes, leaves them where the
    models' own logits are; under `"sigmoid"`, with `p` the mean of
    `sigmoid(z_k)`, `log(p) - log(1 - p)`; with `None` the mean of `z_k`. Those
    of one model are as they are.

    Args:
        logits: sequence of tensors `(..., classes)`, one of each model.
        activation: `"softmax"`, `"sigmoid"` or `None`: what makes
            probabilities of them.
        xp: `keras.ops`, or `numpy` for arrays. Defaults to `keras.ops`.

    Returns:
        Tensor `(..., classes)`.
    """
    if len(logits) == 1:
        return logits[0]
    stacked = xp.stack(logits)
    if activation is None:
        return xp.mean(stacked, axis=0)
    if activation == SIGMOID:
        zeros = xp.zeros_like(stacked)
        yes = -xp.logaddexp(zeros, -stacked)
        no = -xp.logaddexp(zeros, stacked)
        return _log_mean_exp(yes, xp) - _log_mean_exp(no, xp)
    top = xp.max(stacked, axis=-1, keepdims=True)
    total = xp.sum(xp.exp(stacked - top), axis=-1, keepdims=True)
    shift = top + xp.log(total)
    return _log_mean_exp(stacked - shift, xp) + xp.mean(shift, axis=0)


def _log_mean_exp(x, xp):
    """The logarithm of the mean of exponentials, along the first axis."""
    top = xp.max(x, axis=0)
    return top + xp.log(xp.mean(xp.exp(x - top), axis=0))
