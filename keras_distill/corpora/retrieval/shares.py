"""How many texts each class gets."""

import numpy as np


def class_counts(num_texts, label_balance, labels):
    """Divides a number of texts among the classes.

    Args:
        num_texts: int. The number of texts.
        label_balance: `"equal"`, `"examples"` or a sequence of one
            non-negative number per class.
        labels: int array. The classes of the task's examples.

    Returns:
        int64 array of one number per class that add up to `num_texts`. What
        is left over by rounding down goes to the largest remainders, and to
        the first of equals.

    Raises:
        ValueError: another `label_balance`, or one that wants texts of a
            class without examples.
    """
    of_examples = np.bincount(labels)
    shares = np.asarray(_shares(label_balance, of_examples), dtype="float64")
    wanted = num_texts * shares / shares.sum()
    counts = np.floor(wanted).astype("int64")
    order = np.argsort(counts - wanted, kind="stable")
    counts[order[: num_texts - counts.sum()]] += 1
    return counts


def _shares(label_balance, of_examples):
    if isinstance(label_balance, str):
        if label_balance == "equal":
            return of_examples > 0
        if label_balance == "examples":
            return of_examples
    elif _is_numbers(label_balance, len(of_examples)):
        without = np.flatnonzero(
            (np.asarray(label_balance) > 0) & ~(of_examples > 0)
        )
        if len(without):
            raise ValueError(
                "`label_balance` wants texts of a class without examples: "
                f"class {without[0]}. Received: {label_balance!r}."
            )
        return label_balance
    raise ValueError(
        '`label_balance` must be "equal", "examples" or one number per class '
        f"({len(of_examples)}), none negative and not all 0. "
        f"Received: {label_balance!r}."
    )


def _is_numbers(value, count):
    try:
        numbers = np.asarray(value, dtype="float64")
    except (TypeError, ValueError):
        return False
    return (
        numbers.shape == (count,)
        and bool(np.isfinite(numbers).all())
        and bool((numbers >= 0).all())
        and numbers.sum() > 0
    )
