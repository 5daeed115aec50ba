"""What makes a stage that stage, beside its options."""

import re
import sys

import keras

from keras_distill.features import describe
from keras_distill.features import weights_below
from keras_distill.io import content_hash
from keras_distill.losses.objective import Objective
from keras_distill.packing.tokenizer_fingerprint import tokenizer_fingerprint
from keras_distill.stages.code_hash import code_hash
from keras_distill.stages.code_hash import object_hash
from keras_distill.stages.weights_identity import has_random_weights
from keras_distill.stages.weights_identity import weights_identity
from keras_distill.teachers.cache.fingerprint import architecture

# Steps at which a learning rate is looked at, apart from the last one.
_RATES = 8
# Keras's own callbacks that training depends on have no `get_config`.
_STEERING = (
    keras.callbacks.EarlyStopping,
    keras.callbacks.LearningRateScheduler,
    keras.callbacks.ReduceLROnPlateau,
)
_SETTINGS = (
    *("monitor", "mode", "patience", "baseline", "start_from_epoch"),
    *("restore_best_weights", "factor", "cooldown", "min_lr"),
)


def data_identity(train, files=None):
    """Tells what is trained on from all else.

    Args:
        train: What a `Stage` is trained on.
        files: Optional function of the path of a file that gives a hash of
            its content.

    Returns:
        dict of str to a hash.
    """
    for name in ("fingerprints", "fingerprint"):
        if callable(getattr(train, name, None)):
            found = getattr(train, name)()
            return found if isinstance(found, dict) else {"content": found}
    found = {"class": type(train).__qualname__}
    for name, value in sorted(getattr(train, "__dict__", {}).items()):
        made = content_hash(value, files=files)
        found[name.lstrip("_")] = made.hexdigest()
    return found


def teacher_identity(stage):
    """Tells the teacher of a stage from others.

    Args:
        stage: `Stage`.

    Returns:
        dict that JSON can hold, or `None` without a teacher.
    """
    teacher = stage.teacher
    if teacher is None:
        return None
    if not isinstance(teacher, keras.Model):
        return data_identity(teacher)
    weights = None
    if has_random_weights(teacher):
        # Such as a head that no loss looks at.
        weights = _weights_looked_at(stage)
    tokenizer = getattr(getattr(teacher, "preprocessor", None), "tokenizer", 0)
    return model_identity(teacher, tokenizer, weights)


def model_identity(model, tokenizer, weights=None, is_trained=False):
    """Tells a model from others.

    Args:
        model: `keras.Model`.
        tokenizer: What makes the model's token ids.
        weights: Optional list of `keras.Variable` of the model: those that
            count. Defaults to all.
        is_trained: bool. Whether its dropout counts, which a model that
            teaches has off. Defaults to `False`.

    Returns:
        dict that JSON can hold.
    """
    found = weights_identity(model, weights)
    return {
        "weights": content_hash(
            found["weights"], found["random_numbers"]
        ).hexdigest(),
        "architecture": architecture(model, is_trained),
        "tokenizer": tokenizer_fingerprint(tokenizer),
    }


def code_identity(stage, optimizer):
    """Tells what a stage does, as far as options do not show it.

    Args:
        stage: `Stage`.
        optimizer: The optimizer that it makes.

    Returns:
        dict of str to a hash, with the version of Python that it is for.
    """
    keep = stage.keep
    steering = [
        {word: getattr(one, word, None) for word in _SETTINGS}
        # It turns round the sign by itself.
        | {"min_delta": abs(getattr(one, "min_delta", 0.0))}
        for one in stage.callbacks
        if isinstance(one, _STEERING)
    ]
    schedules = [
        getattr(one, "schedule", None)
        for one in stage.callbacks
        if isinstance(one, keras.callbacks.LearningRateScheduler)
    ]
    return {
        "python": list(sys.version_info[:2]),
        "distillation_losses": object_hash(stage.distillation_losses),
        "loss": object_hash(stage.loss),
        "optimizer": code_hash(type(optimizer)),
        "selection": None if keep == "last" else code_hash(keep.measure),
        "callbacks": content_hash(steering, code_hash(*schedules)).hexdigest(),
    }


def rates(optimizer, total_steps):
    """The learning rates of a stage.

    Args:
        optimizer: Keras optimizer.
        total_steps: int.

    Returns:
        list of str: the rate at some steps, of which the first and the last.
    """
    inner = getattr(optimizer, "inner_optimizer", None)
    if inner is not None:
        return rates(inner, total_steps)
    rate = optimizer._learning_rate
    if not isinstance(rate, keras.optimizers.schedules.LearningRateSchedule):
        return [_number(rate() if callable(rate) else rate)]
    steps = {total_steps * i // _RATES for i in range(_RATES)}
    return [_number(rate(step)) for step in sorted({*steps, total_steps - 1})]


def decay_exceptions(optimizer):
    """The parts of names of variables that have no weight decay.

    Args:
        optimizer: Keras optimizer.

    Returns:
        list of str.
    """
    inner = getattr(optimizer, "inner_optimizer", None)
    if inner is not None:
        return decay_exceptions(inner)
    found = getattr(optimizer, "_exclude_from_weight_decay_pattern", None)
    # Keras joins them in any order.
    return sorted(found.pattern.split("|")) if found is not None else []


def trained_weights(student, frozen):
    """What of a student a stage trains, by its place.

    Args:
        student: `keras.Model`.
        frozen: list of `keras.Variable` that the stage freezes.

    Returns:
        `"all"`, or a list of str, a weight each.
    """
    frozen = {id(variable) for variable in frozen}
    trained = {
        id(v) for v in student.trainable_variables if id(v) not in frozen
    }
    found = [
        f"{place} {_plain_path(weight.path)}"
        for place, weight in enumerate(student.weights)
        if id(weight) in trained
    ]
    return "all" if len(found) == len(student.weights) else found


def _weights_looked_at(stage):
    """Those weights of the teacher that the losses depend on."""
    teacher = stage.teacher
    description = describe(teacher)
    objective = Objective(
        stage.distillation_losses,
        stage.distillation_loss_weights,
        description,
        describe(stage.student),
    )
    found = weights_below(teacher, objective.teacher_features(), description)
    chosen = {id(weight) for weights in found.values() for weight in weights}
    return [weight for weight in teacher.weights if id(weight) in chosen]


def _number(value):
    return f"{float(keras.ops.convert_to_numpy(value)):.6g}"


def _plain_path(path):
    """A variable's path without the numbers that Keras counts up."""
    return "/".join(re.sub(r"_\d+$", "", part) for part in path.split("/"))
