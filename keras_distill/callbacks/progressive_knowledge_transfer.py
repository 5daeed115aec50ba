"""Switches the layer-wise losses on layer by layer."""

import dataclasses

from keras_distill.callbacks.phases import Phase
from keras_distill.callbacks.phases import Phases
from keras_distill.callbacks.phases import check_one_length
from keras_distill.callbacks.phases import is_distiller
from keras_distill.checks.arguments import check_float
from keras_distill.checks.arguments import check_int
from keras_distill.features import weights_below
from keras_distill.students import parts

_ORDERS = ("bottom_up", "top_down")
_HELD = (parts.EMBEDDINGS, parts.HEAD)


class ProgressiveKnowledgeTransfer(Phases):
    """Switches the layer-wise losses on layer by layer.

    In each phase of a `Distiller.fit` one layer of the student, or some, is
    active: its losses alone count (hidden states, attention, relations, any
    loss that looks at it), it is trained, and teacher and student are
    computed as deep as they look and no deeper. Layers that are done are
    frozen, or go on learning from the active layer at a fraction of the rate;
    layers to come are frozen. When all layers are done, the rest of the
    training is one more phase with all losses and everything trained.

    Losses of single layers leave some without any: a layer without a loss
    joins the next one above that has one. Layers above the last such layer
    wait for the rest of the training, as do the losses on predictions.

    Learning rates of each phase are the optimizer's matter: see
    `keras_distill.schedules.JoinedSchedules`. A projection that all layers
    share moves on with the active one; with `projection="per_layer"` each
    layer keeps its own.

    It works in `Distiller.fit` and in a `keras_distill.stages.Stage`, where it
    goes on after a stop, in the middle of a layer too, as if there had been
    none.

    Args:
        epochs: Optional int or list of int: the epochs of each phase but the
            last.
        steps: Optional int or list of int: the same in steps.
        layers_at_once: int. Layers with losses in a phase. Defaults to `1`.
        order: `"bottom_up"`, `"top_down"`, or a list of a phase's layer or
            layers, counted from 1: `[1, 2, [3, 4]]`. Layers that are not in
            the list wait for the rest of the training. Defaults to
            `"bottom_up"`.
        hold: sequence of `"embeddings"` and `"head"`: what waits for the rest
            of the training. Embeddings that are not held are trained, with
            their losses, in each phase. A head that is not held is trained as
            well, with the losses on labels and predictions, for which teacher
            and student are computed as deep as these look. Defaults to both.
        done_rate: float from 0 to 1. The fraction of the learning rate at
            which layers that are done go on; 0 freezes them. Between 0 and 1
            it needs a `keras_distill.optimizers.RateScaleOptimizer`. Defaults
            to `0.0`.

    Raises:
        ValueError: If the arguments do not go together; when training begins,
            if they do not fit the losses.

    Example:

    ```python
    import keras_distill

    callback = keras_distill.callbacks.ProgressiveKnowledgeTransfer(
        steps=1000, layers_at_once=2
    )
    ```

    Reference:
        - MobileBERT, https://arxiv.org/abs/2004.02984. Its official schedule
          is `hold=("embeddings", "head")` with `done_rate=0.1`.
    """

    def __init__(
        self,
        epochs=None,
        steps=None,
        layers_at_once=1,
        order="bottom_up",
        hold=_HELD,
        done_rate=0.0,
    ):
        check_one_length(epochs=epochs, steps=steps)
        _check_order(order, layers_at_once)
        hold = (hold,) if isinstance(hold, str) else tuple(hold)
        if not set(hold) <= set(_HELD):
            raise ValueError(
                f"`hold` must be some of {', '.join(map(repr, _HELD))}. "
                f"Received: hold={hold!r}"
            )
        done_rate = check_float("done_rate", done_rate, minimum=0, maximum=1)
        self.layers_at_once = layers_at_once
        self.order = order
        self.hold = hold
        self.done_rate = done_rate
        super().__init__(epochs, steps)

    def get_config(self):
        return {
            **super().get_config(),
            "layers_at_once": self.layers_at_once,
            "order": self.order,
            "hold": self.hold,
            "done_rate": self.done_rate,
        }

    def on_train_begin(self, logs=None):
        super().on_train_begin(logs)
        if 0 < self.done_rate < 1 and self._scaler is None:
            raise ValueError(
                f"`done_rate={self.done_rate}` needs an optimizer that "
                "scales updates: `keras_distill.optimizers."
                "RateScaleOptimizer(optimizer)`. Received: "
                f"{type(self.model.optimizer).__name__}"
            )

    def _find_phases(self, model):
        student_parts, part_of = _look_into(model)
        matched = set(part_of.values()) - set(_HELD)
        free = [name for name in _HELD if name not in self.hold]
        projections = [
            weight
            for projection in model.projections.values()
            for weight in projection.weights
        ]
        phases, done = [], []
        for active in self._layer_groups(student_parts, matched):
            moving = [*active, *free, *(done if self.done_rate else ())]
            variables = parts.select(student_parts, moving)
            counted = {*active, *free}
            phases.append(
                _LayerPhase(
                    name=", ".join(active),
                    variables=(*variables, *projections),
                    done=tuple(parts.select(student_parts, done)),
                    matches=frozenset(
                        match
                        for match, part in part_of.items()
                        if part in counted
                    ),
                )
            )
            done += active
        everything = tuple(model.trainable_variables)
        return [*phases, Phase("everything", everything)]

    def _enter(self, model, phase):
        super()._enter(model, phase)
        if not isinstance(phase, _LayerPhase):
            self._scale_rates(())
            model.choose_matches()
            return
        self._scale_rates(phase.done)
        model.choose_matches(
            lambda match: match in phase.matches,
            with_outputs=parts.HEAD not in self.hold,
        )

    def _leave(self, model):
        super()._leave(model)
        self._scale_rates(())
        model.choose_matches()

    def _scale_rates(self, done):
        if 0 < self.done_rate < 1 and self._scaler is not None:
            self._scaler.reset_rate_scales()
            self._scaler.set_rate_scale(done, self.done_rate)

    def _layer_groups(self, student_parts, matched):
        """The names of the active layers' parts, phase by phase."""
        if not matched:
            raise ValueError(
                "`ProgressiveKnowledgeTransfer` needs losses on layers, such "
                "as `HiddenStatesDistillation`. Received: none that looks at "
                f"one of {', '.join(student_parts)} alone."
            )
        if self.order not in _ORDERS:
            return _listed_groups(self.order, student_parts, matched)
        groups = _blocks(student_parts, matched, self.layers_at_once)
        return groups if self.order == "bottom_up" else groups[::-1]


@dataclasses.dataclass(frozen=True)
class _LayerPhase(Phase):
    """A phase in which some layers are active."""

    done: tuple
    matches: frozenset


def _look_into(model):
    """The parts of a distiller's student, and that of each match."""
    if not is_distiller(model):
        raise ValueError(
            "`ProgressiveKnowledgeTransfer` is for the training of a "
            f"`keras_distill.Distiller`. Received: {model!r}"
        )
    student_parts = parts.parts_of(model.student)
    if not student_parts:
        raise ValueError(
            "`ProgressiveKnowledgeTransfer` needs transformer layers, of "
            f"which none was found in the student '{model.student.name}'. "
            "Register an adapter with "
            "`keras_distill.features.register_adapter`."
        )
    below = weights_below(model.student, model.objective.student_features())
    part_of = {}
    for matches in model.objective.matches:
        for match in matches:
            weights = [w for name in match.projections for w in below[name]]
            part_of[match] = _top_part(student_parts, weights)
    return student_parts, part_of


def _top_part(student_parts, weights):
    """The part that a match belongs to: the topmost that it depends on."""
    found = {id(weight) for weight in weights}
    for name, own in student_parts.items():
        if any(id(weight) in found for weight in own):
            return name
    return parts.EMBEDDINGS


def _blocks(student_parts, matched, layers_at_once):
    """Layers from the bottom up, cut above each one that ends a phase."""
    blocks, block, count = [], [], 0
    layers = [name for name in reversed(student_parts) if name not in _HELD]
    for name in layers:
        block.append(name)
        count += name in matched
        if name in matched and count % layers_at_once == 0:
            blocks.append(block)
            block = []
    if any(name in matched for name in block):
        # The last phase has fewer layers; those above its last loss wait.
        while block[-1] not in matched:
            block.pop()
        blocks.append(block)
    return blocks


def _listed_groups(order, student_parts, matched):
    groups = [
        [
            parts.layer_part(number)
            for number in (
                entry if isinstance(entry, (list, tuple)) else [entry]
            )
        ]
        for entry in order
    ]
    names = [name for group in groups for name in group]
    unknown = [name for name in names if name not in student_parts]
    if unknown or len(set(names)) != len(names):
        raise ValueError(
            "`order` must name layers of the student, each once, of "
            f"{', '.join(student_parts)}. Received: order={order}"
        )
    for group in groups:
        if not matched & set(group):
            raise ValueError(
                "Each phase of `order` needs a layer with a loss: one of "
                f"{', '.join(sorted(matched))}. Received: order={order}"
            )
    return groups


def _check_order(order, layers_at_once):
    is_list = isinstance(order, (list, tuple)) and order
    if order not in _ORDERS and not is_list:
        raise ValueError(
            f"`order` must be one of {', '.join(map(repr, _ORDERS))}, or a "
            f"list of layers. Received: order={order!r}"
        )
    check_int("layers_at_once", layers_at_once, minimum=1)
    if is_list and layers_at_once != 1:
        raise ValueError(
            "`layers_at_once` is for an order by name; a list holds the "
            "layers of a phase itself, as `[1, [2, 3]]`. Received: "
            f"order={order}, layers_at_once={layers_at_once}"
        )
