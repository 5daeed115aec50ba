"""What makes a stage that stage, beside its options."""

import contextlib
import json
import re
import sys
import weakref

import keras
import numpy as np
from keras.src.initializers.random_initializers import RandomInitializer

from keras_distill.features import describe
from keras_distill.features import weights_below
from keras_distill.io import content_hash
from keras_distill.io.hashes import arrays_hash
from keras_distill.io.json_file import differences
from keras_distill.losses.objective import Objective
from keras_distill.packing import tokenizer_fingerprint
from keras_distill.stages.code_hash import code_hash
from keras_distill.stages.code_hash import object_hash
from keras_distill.stages.parts import has_several_tasks
from keras_distill.teachers.cache.fingerprint import architecture

# The way out where a folder holds something else.
BEGIN_ANEW = (
    "begin anew with `resume=False` (`--no-resume` on a command line), which "
    "keeps the run that is there beside the new one"
)
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
# By model: the weights as a run left them, and what the stages that it went
# through in this process started from.
_LEFT = weakref.WeakKeyDictionary()


def data_identity(train, files=None):
    """Tells what is trained on from all else."""
    for name in ("fingerprints", "fingerprint"):
        if callable(getattr(train, name, None)):
            found = getattr(train, name)()
            return found if isinstance(found, dict) else {"content": found}
    found = {"class": type(train).__qualname__}
    for name, value in sorted(getattr(train, "__dict__", {}).items()):
        made = content_hash(value, files=files)
        found[name.lstrip("_")] = made.hexdigest()
    return found


def teacher_identity(part):
    """Tells the teacher of a stage, or of one of its tasks, from others."""
    teacher = part.teacher
    if teacher is None:
        return None
    if not isinstance(teacher, keras.Model):
        return data_identity(teacher)
    weights = None
    if has_random_weights(teacher):
        # Such as a head that no loss looks at.
        weights = _weights_looked_at(part)
    tokenizer = getattr(getattr(teacher, "preprocessor", None), "tokenizer", 0)
    return model_identity(teacher, tokenizer, weights)


def model_identity(model, tokenizer, weights=None, is_trained=False):
    """Tells a model from others."""
    found = weights_identity(model, weights)
    return {
        "weights": content_hash(
            found["weights"], found["random_numbers"]
        ).hexdigest(),
        "architecture": architecture(model, is_trained),
        "tokenizer": tokenizer_fingerprint(tokenizer),
    }


def code_identity(stage, optimizer):
    """Tells what a stage does, as far as options do not show it."""
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
        "distillation_losses": object_hash(
            _all_tasks(stage, stage.distillation_losses)
        ),
        "loss": object_hash(_all_tasks(stage, stage.loss)),
        "optimizer": code_hash(type(optimizer)),
        "selection": None if keep == "last" else code_hash(keep.measure),
        "callbacks": content_hash(steering, code_hash(*schedules)).hexdigest(),
    }


def _all_tasks(stage, given):
    """What is given for a stage; of dicts by task their objects in a list."""
    return keras.tree.flatten(given) if has_several_tasks(stage) else given


def rates(optimizer, total_steps):
    """The learning rates of a stage."""
    inner = getattr(optimizer, "inner_optimizer", None)
    if inner is not None:
        return rates(inner, total_steps)
    rate = optimizer._learning_rate
    if not isinstance(rate, keras.optimizers.schedules.LearningRateSchedule):
        return [_number(rate() if callable(rate) else rate)]
    steps = {total_steps * i // _RATES for i in range(_RATES)}
    return [_number(rate(step)) for step in sorted({*steps, total_steps - 1})]


def decay_exceptions(optimizer):
    """The parts of names of variables that have no weight decay."""
    inner = getattr(optimizer, "inner_optimizer", None)
    if inner is not None:
        return decay_exceptions(inner)
    found = getattr(optimizer, "_exclude_from_weight_decay_pattern", None)
    # Keras joins them in any order.
    return sorted(found.pattern.split("|")) if found is not None else []


def trained_weights(student, frozen):
    """What of a student a stage trains, by its place."""
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


def _weights_looked_at(part):
    """Those weights of the teacher that the losses depend on."""
    teacher = part.teacher
    description = describe(teacher)
    objective = Objective(
        part.distillation_losses,
        part.distillation_loss_weights,
        description,
        describe(part.student),
    )
    found = weights_below(teacher, objective.teacher_features(), description)
    chosen = {id(weight) for weights in found.values() for weight in weights}
    return [weight for weight in teacher.weights if id(weight) in chosen]


def _number(value):
    return f"{float(keras.ops.convert_to_numpy(value)):.6g}"


def _plain_path(path):
    """A variable's path without the numbers that Keras counts up."""
    return "/".join(re.sub(r"_\d+$", "", part) for part in path.split("/"))


def check_same_stage(there, now):
    """Refuses a state of a stage that was another one."""
    # What an earlier version wrote has no identity: then all that it noted must
    # be the same, and `False` is returned.
    if not isinstance(there, dict):
        raise ValueError(
            f"What is saved of stage '{now['name']}' does not say what the "
            "stage was. Remove its folder to do it anew."
        )
    there = json.loads(json.dumps(there))
    now = json.loads(json.dumps(now))
    old, new = there.pop("identity", None), now.pop("identity", None)
    found = differences(there, now)
    advice = ""
    if old is not None and new is not None:
        _forgive(old, new)
        found += differences(old, new)
        if old.get("start") != new.get("start"):
            advice = (
                " (A start from random numbers is the same if "
                "`keras.utils.set_random_seed` is called with the same number "
                "before the models are made.)"
            )
    if not found:
        return old is not None
    raise ValueError(
        f"Stage '{now['name']}' has changed since the run began "
        f"({'; '.join(found)}).{advice} Put it back as it was, choose "
        f"another folder for the run, or {BEGIN_ANEW}."
    )


def _forgive(old, new):
    """Makes those parts the same that cannot be compared, or need not be."""
    with contextlib.suppress(AttributeError, LookupError, TypeError):
        if is_same_start(old["start"], new["start"]):
            old["start"] = new["start"]
        old["start"]["seeded"] = new["start"]["seeded"]
    with contextlib.suppress(AttributeError, LookupError, TypeError):
        if old["code"]["python"] != new["code"]["python"]:
            # The same code is other bytes there.
            old["code"] = new["code"]


def weights_identity(model, weights=None, is_seeded=True):
    """Tells weights from others, random numbers apart."""
    # A script that sets no seed makes another random start each time it is run.
    # What of it is random is therefore compared only if a seed was set.
    chosen = model.weights if weights is None else weights
    random = _random_weights(model)
    given = [w for w in chosen if id(w) not in random]
    drawn = [w for w in chosen if id(w) in random]
    places = [i for i, w in enumerate(chosen) if id(w) in random]
    return {
        "weights": _hash(given, [len(chosen), *places]),
        "random_numbers": _hash(drawn, places),
        "seeded": is_seeded,
    }


def has_random_weights(model):
    """Whether a weight of a model is still what it was drawn as."""
    return bool(_random_weights(model))


def is_same_start(there, now):
    """Whether weights are the same, or may be but for random numbers."""
    if there["weights"] != now["weights"]:
        return False
    both_seeded = there["seeded"] and now["seeded"]
    return there["random_numbers"] == now["random_numbers"] or not both_seeded


def start_of(model, stage, is_seeded):
    """What a stage of a run starts from."""
    # A model that comes from an earlier call in this process, as when a cell of
    # a notebook is run again, and was not touched since, starts from what it
    # started from then: its weights come from the folder anyway.
    known = _LEFT.get(model)
    if known is not None and stage in known["starts"]:
        if known["weights"] == _hash(model.weights):
            return known["starts"][stage]
    return weights_identity(model, is_seeded=is_seeded)


def note_left(model, stage, start):
    """Notes what a stage started from, and the weights as they are now."""
    known = _LEFT.setdefault(model, {"starts": {}})
    known["starts"][stage] = start
    known["weights"] = _hash(model.weights)


def _random_weights(model):
    """The ids of variables that hold what a random initializer gives."""
    found = set()
    for layer in model._flatten_layers():
        initializers = [
            value
            for value in vars(layer).values()
            if isinstance(value, RandomInitializer)
        ]
        for variable in _own_variables(layer):
            if any(_is_drawn(variable, one) for one in initializers):
                found.add(id(variable))
    return found


def _own_variables(layer):
    return [*layer._trainable_variables, *layer._non_trainable_variables]


def _is_drawn(variable, initializer):
    """Whether it holds what the initializer gives, each time the same."""
    try:
        drawn = initializer(variable.shape, dtype=variable.dtype)
    # It is for variables of another shape.
    except (TypeError, ValueError):
        return False
    drawn = keras.ops.convert_to_numpy(drawn)
    return np.array_equal(drawn, keras.ops.convert_to_numpy(variable))


def _hash(weights, places=()):
    arrays = map(keras.ops.convert_to_numpy, weights)
    return arrays_hash(arrays, str(list(places)))
