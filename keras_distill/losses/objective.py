"""What a student is trained for: losses, matches, weights, projections."""

import copy

import keras
from keras import ops

from keras_distill.checks.arguments import Number
from keras_distill.checks.numbers_or_schedules import check_number_or_schedule
from keras_distill.checks.numbers_or_schedules import in_words
from keras_distill.features import names
from keras_distill.losses import functional
from keras_distill.losses.distillation_loss import DistillationLoss
from keras_distill.losses.from_keras import from_keras
from keras_distill.losses.logits_distillation import token_weights

# What the weight of a loss may be.
WEIGHT = Number(float, minimum=0)


class Objective:
    """The distillation losses of one student, matched to its teacher.

    Args:
        distillation_losses: One loss or a sequence of losses, of
            `keras_distill.losses` or of `keras.distillation`.
        weights: One weight, or schedule of one, for each loss, or `None` for
            1 each.
        teacher: `ModelDescription`.
        student: `ModelDescription`.
        taken_names: Names in the logs that no loss may have.

    Attributes:
        losses: list of `DistillationLoss`.
        weights: list of float or schedule.
        matches: list of a tuple of `Match` for each loss.
        term_names: list of the name that each loss has in the logs.
    """

    def __init__(
        self, distillation_losses, weights, teacher, student, taken_names=()
    ):
        self.losses = as_losses(distillation_losses)
        self.weights = as_weights(weights, len(self.losses))
        self.matches = [loss.match(teacher, student) for loss in self.losses]
        self.term_names = _term_names(self.losses, taken_names)

    def set_weights(self, weights):
        """Sets all weights, in the list that parts of it share."""
        self.weights[:] = as_weights(weights, len(self.losses))

    def check_matches(self, teacher, student):
        """Raises if a loss was changed so that it would match other features.

        Args:
            teacher: `ModelDescription`.
            student: `ModelDescription`.

        Raises:
            ValueError: If it was.
        """
        for loss, matches in zip(self.losses, self.matches, strict=True):
            if _features_of(loss.match(teacher, student)) != _features_of(
                matches
            ):
                raise ValueError(
                    f"The loss '{loss.name}' was changed so that it compares "
                    "other features than those the Distiller was built for. "
                    "Build a new Distiller."
                )

    def teacher_features(self):
        """Names of the features to take from the teacher."""
        return self._features("teacher")

    def student_features(self):
        """Names of the features to take from the student."""
        return self._features("student")

    def projections(self):
        """The trained projections by name.

        Returns:
            dict of name to `Projection`; projections that several matches
            share stand once.

        Raises:
            ValueError: If two matches share a name but not the widths.
        """
        projections = {}
        for match in self._all_matches():
            projection = match.projection
            if projection is None:
                continue
            known = projections.setdefault(projection.name, projection)
            if known != projection:
                raise ValueError(
                    f"Projection '{projection.name}' is needed with the "
                    f"widths {known.student_width} -> {known.teacher_width} "
                    f"and {projection.student_width} -> "
                    f"{projection.teacher_width}. Use "
                    'projection="per_layer", or give the losses different '
                    "names."
                )
        return projections

    def only(self, is_chosen):
        """This objective with some of its matches alone.

        Args:
            is_chosen: function of a `Match` that tells whether it counts.

        Returns:
            `Objective` with the same losses, weights and names.
        """
        part = copy.copy(self)
        part.matches = [
            tuple(match for match in matches if is_chosen(match))
            for matches in self.matches
        ]
        return part

    def terms(
        self, teacher, student, projections, sample_weight=None, losses=None
    ):
        """The value of each loss on a batch.

        Args:
            teacher: dict of the teacher's features.
            student: dict of the student's features.
            projections: dict of projection name to layer.
            sample_weight: Optional weights of the batch: `(B,)`, or `(B, L)`
                for the tokens of token predictions, or a structure of them
                like the model's outputs.
            losses: Optional list of the losses as a step sees them, see
                `DistillationLoss.with_numbers`.

        Returns:
            dict of term name to float32 scalar: the mean over the batch of
            the weighted values, before the weight of the loss. A loss that
            matches nothing has none.
        """
        terms = {}
        for name, loss, matches in zip(
            self.term_names, losses or self.losses, self.matches, strict=True
        ):
            values = [
                _weighted_mean(
                    *_per_example(
                        loss,
                        match,
                        teacher,
                        student,
                        projections,
                        _weight_of(match.student, sample_weight),
                    )
                )
                for match in matches
            ]
            if not values:
                continue
            terms[name] = sum(values[1:], start=values[0])
        return terms

    def total(self, terms, weights=None):
        """The weighted sum of the terms, a float32 scalar.

        Args:
            terms: dict of term name to scalar.
            weights: Optional list of the weights as a step sees them.
        """
        weights = self.weights if weights is None else weights
        weighted = [
            weight * terms[name]
            for name, weight in zip(self.term_names, weights, strict=True)
            if name in terms
        ]
        return sum(weighted[1:], start=weighted[0])

    def plan(self):
        """The match plan in words, one line a match."""
        lines = []
        for loss, weight, matches in zip(
            self.losses, self.weights, self.matches, strict=True
        ):
            for match in matches:
                line = (
                    f"student {_in_words(match.student)} <- "
                    f"teacher {_in_words(match.teacher)} | {match.note}"
                )
                if weight != 1.0:
                    line += f" | weight {in_words(weight)}"
                lines.append(line)
            if not matches:
                lines.append(f"{loss.name}: nothing to match")
        return lines

    def _all_matches(self):
        return [match for matches in self.matches for match in matches]

    def _features(self, role):
        found = [getattr(match, role) for match in self._all_matches()]
        return list(dict.fromkeys(found))


def _features_of(matches):
    return [(m.student, m.teacher, m.projection) for m in matches]


def _per_example(loss, match, teacher, student, projections, sample_weight):
    """A loss's values `(B,)`, and the weights that are left to apply."""
    student_value = student[match.student]
    if match.projection is not None:
        student_value = projections[match.projection.name](student_value)
    mask = student.get(names.PADDING_MASK)
    if sample_weight is not None and len(sample_weight.shape) > 1:
        # Weights of single tokens: they weigh the predictions of tokens. A
        # loss on what lies below has its padding mask and takes none.
        if match.student.split(".")[0] in (names.LOGITS, names.OUTPUT):
            _check_token_weights(sample_weight, student_value)
            mask = token_weights(sample_weight, mask)
        sample_weight = None
    return loss.per_example(teacher[match.teacher], student_value, mask), (
        sample_weight
    )


def _check_token_weights(sample_weight, predictions):
    if len(predictions.shape) < 3:
        raise ValueError(
            "`sample_weight` must have the shape (batch,), since the model "
            f"predicts {tuple(predictions.shape)}, one for each example. "
            f"Received: sample_weight of shape {tuple(sample_weight.shape)}"
        )


def _weighted_mean(values, sample_weight):
    if sample_weight is not None:
        values = values * functional.as_float32(sample_weight)
    return ops.mean(values)


def _weight_of(feature, sample_weight):
    """The part of a batch's sample weights that belongs to a feature."""
    if isinstance(sample_weight, (dict, list, tuple)):
        kind, _, key = feature.partition(".")
        if kind != names.OUTPUT:
            return None
        if isinstance(sample_weight, dict):
            sample_weight = sample_weight.get(key)
        else:
            sample_weight = sample_weight[int(key)]
    if sample_weight is not None and sample_weight.shape[1:] == (1,):
        sample_weight = ops.squeeze(sample_weight, axis=1)
    return sample_weight


def as_losses(distillation_losses):
    """Losses as a list of this library's.

    Args:
        distillation_losses: As `Objective` takes them.

    Returns:
        list of `DistillationLoss`.

    Raises:
        ValueError: If there is none, or one is something else.
    """
    if not isinstance(distillation_losses, (list, tuple)):
        distillation_losses = [distillation_losses]
    if not distillation_losses:
        raise ValueError(
            "`distillation_losses` must hold at least one loss of "
            "`keras_distill.losses`. Received: distillation_losses=[]"
        )
    losses = []
    for loss in distillation_losses:
        if isinstance(loss, keras.distillation.DistillationLoss):
            loss = from_keras(loss)
        if not isinstance(loss, DistillationLoss):
            raise ValueError(
                "`distillation_losses` must hold losses of "
                "`keras_distill.losses` or of `keras.distillation`. "
                f"Received: {loss!r}{_meant_loss(loss)}"
            )
        losses.append(loss)
    return losses


def _meant_loss(loss):
    """What to write in place of what is no distillation loss."""
    kinds = (DistillationLoss, keras.distillation.DistillationLoss)
    if isinstance(loss, type) and issubclass(loss, kinds):
        return f", a class. Write {loss.__name__}(...), with its arguments."
    if isinstance(loss, dict):
        return (
            ". Pass the losses as a list, and their weights as the list "
            "`distillation_loss_weights`."
        )
    if isinstance(loss, (str, keras.losses.Loss)) or callable(loss):
        return (
            ". To compare predictions pass keras_distill.losses."
            'LogitsDistillation(loss="kl"), "cross_entropy" or "mse"; the '
            "loss on the labels is given to `compile`."
        )
    return ""


def as_weights(weights, count):
    """The weights of losses as a list.

    Args:
        weights: As `Objective` takes them.
        count: int. The number of losses.

    Returns:
        list of float or schedule.

    Raises:
        ValueError: If there are more or fewer, or one is no number of 0 or
            more.
    """
    if weights is None:
        return [1.0] * count
    if not isinstance(weights, (list, tuple)):
        weights = [weights]
    if len(weights) != count:
        raise ValueError(
            "`distillation_loss_weights` must hold one weight for each of the "
            f"{count} distillation losses. Received: {len(weights)} weights, "
            f"{list(weights)}"
        )
    for weight in weights:
        check_number_or_schedule("distillation_loss_weights", weight, WEIGHT)
    return [w if callable(w) else float(w) for w in weights]


def _term_names(losses, taken_names):
    """`<name>_loss` for each loss, numbered where a name is taken."""
    term_names = []
    for loss in losses:
        number, term_name = 1, f"{loss.name}_loss"
        while term_name in taken_names or term_name in term_names:
            number += 1
            term_name = f"{loss.name}_{number}_loss"
        term_names.append(term_name)
    return term_names


def _in_words(feature):
    kind, _, layer = feature.partition(".")
    if kind in names.LAYER_KINDS or kind == names.LAYER:
        return f"layer {layer}"
    if kind == names.OUTPUT:
        return f"output {layer}"
    return kind
