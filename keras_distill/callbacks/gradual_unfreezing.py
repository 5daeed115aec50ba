"""Sets a student's parts free one after the other, from its top down."""

import math

from keras_distill.callbacks.phases import Phase
from keras_distill.callbacks.phases import Phases
from keras_distill.callbacks.phases import check_one_length
from keras_distill.callbacks.phases import is_distiller
from keras_distill.checks.arguments import check_bool
from keras_distill.checks.arguments import check_choice
from keras_distill.checks.arguments import check_float
from keras_distill.checks.arguments import check_int
from keras_distill.students import parts

# The distiller's part, between the student's head and its layers.
PROJECTIONS = "projections"
_ABOVE = (parts.HEAD, PROJECTIONS)


class GradualUnfreezing(Phases):
    """Sets a student's parts free one after the other, from its top down.

    Training begins with the first group of parts alone; then one group after
    the other joins, and what was set free stays so. Groups follow from the
    model and from what you give, in this order and no other:

    - `groups="layer"`: `"head"`, `"projections"` (the distiller's),
      the transformer layers from `"layer.N"` down to `"layer.1"`,
      `"embeddings"`, one at a time;
    - `groups="encoder"`: `"head"`, `"projections"`, then all of the encoder,
      embeddings included, at once;
    - a list of groups of your own: each is a part, a layer of the student, or
      a list of these, such as `[["head", "projections"], "layer.2"]`. What
      stands in none of them is not trained.

    A group in which nothing can be trained (what you froze yourself, or what
    none of the losses reaches, such as the head while hidden states are
    matched) is left out and takes no time.

    The next group joins after some `epochs` or `steps`, or when a monitored
    value no longer improves; then training ends when it no longer improves
    with all groups.

    It works in `Distiller.fit`, in `fit` of any Keras model, and in a
    `keras_distill.stages.Stage`, where it goes on after a stop as if there
    had been none. What is frozen has no backward pass below the lowest part
    that is free; the optimizer keeps the moments of all.

    Args:
        groups: `"layer"`, `"encoder"` or a list; see above. Defaults to
            `"layer"`.
        epochs: Optional int: epochs between two unfreezings. Or a list of
            them, one for each group but the last.
        steps: Optional int or list of int: the same in steps.
        monitor: Optional str: a value in the logs of an epoch, such as
            `"val_loss"`, in place of `epochs` and `steps`.
        mode: str. With `monitor`, whether `"min"` or `"max"` is better;
            `"auto"` takes `"min"` if its name holds "loss" or "error".
            Defaults to `"auto"`.
        patience: int. Epochs without improvement after which the next group
            joins. Defaults to `1`.
        min_delta: float. What counts as an improvement at least. Defaults to
            `0.0`.
        restore_best: bool. Whether the weights of the best epoch so far are
            put back before a group joins and at the end. Defaults to `True`.

    Raises:
        ValueError: If the arguments do not go together; when training begins,
            if there is no such part.

    Example:

    ```python
    import keras_distill

    callback = keras_distill.callbacks.GradualUnfreezing(
        groups=[["head", "projections"], "layer.2", "layer.1", "embeddings"],
        epochs=1,
    )
    ```

    Reference:
        - XtremeDistilTransformers, https://arxiv.org/abs/2106.04563, whose
          official code sets the head, the projection and the encoder free
          one after the other, in an order that depended on Python's hashes.
    """

    def __init__(
        self,
        groups="layer",
        epochs=None,
        steps=None,
        monitor=None,
        mode="auto",
        patience=1,
        min_delta=0.0,
        restore_best=True,
    ):
        check_one_length(epochs=epochs, steps=steps, monitor=monitor)
        _check_groups(groups)
        check_choice("mode", mode, ("auto", "min", "max"))
        patience = check_int("patience", patience, minimum=1)
        min_delta = check_float("min_delta", min_delta, minimum=0)
        check_bool("restore_best", restore_best)
        _check_monitor(monitor, mode, patience, min_delta)
        self.groups = groups
        self.monitor = monitor
        self.mode = mode
        self.patience = patience
        self.min_delta = min_delta
        self.restore_best = restore_best
        super().__init__(epochs, steps)

    def get_config(self):
        groups = self.groups
        if not isinstance(groups, str):
            groups = [_name(group, _class_name) for group in groups]
        return {
            **super().get_config(),
            "groups": groups,
            "monitor": self.monitor,
            "mode": self.mode,
            "patience": self.patience,
            "min_delta": self.min_delta,
            "restore_best": self.restore_best,
        }

    def get_state(self):
        return {
            **super().get_state(),
            "joined": self._joined,
            "best": self._best,
            "waited": self._waited,
            "weights": self._weights,
        }

    def set_state(self, state):
        super().set_state(state)
        self._joined = int(state["joined"])
        self._best = state["best"]
        self._waited = int(state["waited"])
        self._weights = state["weights"]

    def on_epoch_end(self, epoch, logs=None):
        if self.monitor is None:
            return
        if self.monitor not in (logs or {}):
            raise ValueError(
                "`monitor` must name one of the values "
                f"{', '.join(logs or {})}. Received: monitor={self.monitor!r}"
            )
        value = float(logs[self.monitor])
        if self._is_better(value):
            self._best, self._waited = value, 0
            if self.restore_best:
                self._weights = self.model.get_weights()
            return
        self._waited += 1
        if self._waited >= self.patience:
            self._waited = 0
            self._join_next()

    def on_train_end(self, logs=None):
        self._restore()
        super().on_train_end(logs)

    def _find_phases(self, model):
        phases, joined = [], ()
        for name, variables in _usable_groups(model, self.groups):
            joined += tuple(variables)
            phases.append(Phase(name, joined))
        return phases

    def _number_due(self):
        return self._joined if self.monitor else super()._number_due()

    def _join_next(self):
        if self._joined + 1 == len(self._phases):
            self.model.stop_training = True
            return
        self._restore()
        self._joined += 1

    def _restore(self):
        if self._weights is not None:
            self.model.set_weights(self._weights)

    def _is_better(self, value):
        if math.isnan(value):
            return False
        if self._best is None:
            return True
        mode = self.mode
        if mode == "auto":
            is_error = "loss" in self.monitor or "error" in self.monitor
            mode = "min" if is_error else "max"
        if mode == "min":
            return value < self._best - self.min_delta
        return value > self._best + self.min_delta

    def _reset(self):
        super()._reset()
        self._joined = self._waited = 0
        self._best = self._weights = None


def all_parts(model):
    """The parts of what is trained, top first."""
    if not is_distiller(model):
        return parts.parts_of(model)
    found = parts.parts_of(model.student)
    head = {parts.HEAD: found.pop(parts.HEAD)} if found else {}
    projections = [
        weight
        for projection in model.projections.values()
        for weight in projection.weights
    ]
    return {**head, PROJECTIONS: projections, **found}


def _usable_groups(model, groups):
    """Pairs of name and variables of the groups that can be trained."""
    found = all_parts(model)
    if isinstance(groups, str):
        if parts.EMBEDDINGS not in found:
            raise ValueError(
                "`groups` must be a list of layers of the student, in which "
                f"no transformer layer was found. Received: groups={groups!r}"
            )
        below = [name for name in found if name not in _ABOVE]
        if groups == "encoder":
            below = [parts.ENCODER]
        groups = [*(name for name in _ABOVE if name in found), *below]
    own = {id(weight) for weight in model.weights}
    trainable = {id(variable) for variable in _reached(model)}
    usable = []
    for group in groups:
        variables = parts.select(found, group)
        if any(id(variable) not in own for variable in variables):
            raise ValueError(
                "`groups` must hold layers of the student. Received one that "
                f"has weights of its own: {_name(group)}"
            )
        variables = [v for v in variables if id(v) in trainable]
        if variables:
            usable.append((_name(group), variables))
    if not usable:
        raise ValueError(
            "`groups` must hold something that can be trained and that the "
            f"losses reach. Received: groups={groups}"
        )
    return usable


def _reached(model):
    """The trainable variables that the losses depend on."""
    if is_distiller(model):
        return model.reached_variables()
    return model.trainable_variables


def _name(group, name_layer=lambda layer: layer.name):
    if isinstance(group, (list, tuple)):
        return ", ".join(_name(part, name_layer) for part in group)
    return group if isinstance(group, str) else name_layer(group)


def _class_name(layer):
    # Keras counts up the names that it makes, a run that goes on others.
    return type(layer).__name__


def _check_monitor(monitor, mode, patience, min_delta):
    if monitor is None:
        given = {"mode": mode, "patience": patience, "min_delta": min_delta}
        defaults = {"mode": "auto", "patience": 1, "min_delta": 0}
        for name, value in given.items():
            if value != defaults[name]:
                raise ValueError(
                    f"`{name}` is about the quantity that `monitor` names. "
                    f"Received: {name}={value!r} without monitor"
                )
    elif not isinstance(monitor, str) or not monitor:
        raise ValueError(
            "`monitor` must be the name of a quantity in the logs, such as "
            f"'val_loss'. Received: monitor={monitor!r}"
        )


def _check_groups(groups):
    is_list = isinstance(groups, (list, tuple)) and groups
    if groups not in ("layer", "encoder") and not is_list:
        raise ValueError(
            '`groups` must be "layer", "encoder" or a list of parts and '
            f"layers. Received: groups={groups!r}"
        )
