"""What a student is trained for: losses, matches, weights, projections."""

import copy

import keras
from keras import ops

from keras_distill.checks.arguments import Number
from keras_distill.checks.numbers_or_schedules import check_number_or_schedule
from keras_distill.checks.numbers_or_schedules import in_words
from keras_distill.features import names
from keras_distill.features.description import NoFeatureError
from keras_distill.losses import functional
from keras_distill.losses.distillation_loss import DistillationLoss
from keras_distill.losses.from_keras import from_keras
from keras_distill.losses.logits_distillation import token_weights
from keras_distill.losses.matching import as_tuple

# What the weight of a loss may be.
WEIGHT = Number(float, minimum=0)


class Objective:
    """The distillation losses of one student, matched to its teacher."""

    def __init__(
        self, distillation_losses, weights, teacher, student, taken_names=()
    ):
        # Without a teacher the labels alone count.
        self.losses = [] if teacher is None else as_losses(distillation_losses)
        self.weights = as_weights(weights, len(self.losses))
        self.matches = [
            _matched(loss, teacher, student) for loss in self.losses
        ]
        self.term_names = _term_names(self.losses, taken_names)
        self._predicts_masked = student.predicts_masked

    def set_weights(self, weights):
        """Sets all weights, in the list that parts of it share."""
        self.weights[:] = as_weights(weights, len(self.losses))

    def check_matches(self, teacher, student):
        """Raises if a loss was changed and would match other features."""
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
        """The trained projections by name."""
        projections = {}
        needed = [
            projection
            for match in self._all_matches()
            for projection in match.projections.values()
            if projection is not None
        ]
        for projection in needed:
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
        """This objective with some of its matches alone."""
        part = copy.copy(self)
        part.matches = [
            tuple(match for match in matches if is_chosen(match))
            for matches in self.matches
        ]
        return part

    def labels_reader(self):
        """The first loss with matches that reads the labels, or `None`."""
        for loss, matches in zip(self.losses, self.matches, strict=True):
            if matches and loss.reads_labels:
                return loss
        return None

    def terms(
        self,
        teacher,
        student,
        projections,
        sample_weight=None,
        losses=None,
        y=None,
    ):
        """The value of each loss on a batch."""
        terms = {}
        for name, loss, matches in zip(
            self.term_names, losses or self.losses, self.matches, strict=True
        ):
            labels = {}
            if loss.reads_labels:
                labels = {"y": y, "sample_weight": sample_weight}
                if matches and y is None:
                    raise ValueError(
                        f"The loss '{loss.name}' looks at the labels. "
                        "Received: a batch without labels."
                    )
            values = [
                _value(
                    loss,
                    match,
                    teacher,
                    _projected(match, student, projections),
                    self._mask(match, student),
                    sample_weight,
                    labels,
                )
                for match in matches
            ]
            if values:
                terms[name] = sum(values[1:], start=values[0])
        return terms

    def total(self, terms, weights=None):
        """The weighted sum of the terms, a float32 scalar."""
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

    def _mask(self, match, student):
        """The padding mask of what a match compares, if it has tokens."""
        if self._predicts_masked and _is_output(match.student):
            return None
        return student.get(names.PADDING_MASK)

    def _all_matches(self):
        return [match for matches in self.matches for match in matches]

    def _features(self, role):
        found = {}
        for match in self._all_matches():
            found |= dict.fromkeys(as_tuple(getattr(match, role)))
        return list(found)


def _matched(loss, teacher, student):
    """The matches of a loss; what it looks for in vain is said with it."""
    try:
        return loss.match(teacher, student)
    except NoFeatureError as error:
        raise NoFeatureError(
            f"The loss '{loss.name}' does not find what it looks at. {error}"
        ) from error


def _features_of(matches):
    return [(m.student, m.teacher, m.projection) for m in matches]


def _projected(match, student, projections):
    """The student's features of a match, as the teacher's are wide."""
    found = {}
    for feature, projection in match.projections.items():
        found[feature] = student[feature]
        if projection is not None:
            found[feature] = projections[projection.name](student[feature])
    return found


def _value(loss, match, teacher, student, mask, sample_weight, labels):
    """The mean of a loss over a batch, under the weights of its examples."""
    weight = _weight_of(next(iter(student)), sample_weight)
    if isinstance(match.student, str):
        (student,) = student.values()
    if weight is not None and len(weight.shape) > 1:
        # Weights of single tokens: they weigh the predictions of tokens. A
        # loss on what lies below, or on several features at once, has its
        # padding mask and takes none.
        if _is_output(match.student):
            _check_token_weights(weight, student)
            mask = token_weights(weight, mask)
        weight = None
    if isinstance(match.teacher, str):
        teacher = teacher[match.teacher]
    else:
        teacher = {name: teacher[name] for name in match.teacher}
    values = loss.per_example(teacher, student, mask, **labels)
    if weight is not None:
        values = values * functional.as_float32(weight)
    return ops.mean(values)


def _is_output(feature):
    if not isinstance(feature, str):
        return False
    return feature.split(".")[0] in (names.LOGITS, names.OUTPUT)


def _check_token_weights(sample_weight, predictions):
    if len(predictions.shape) < 3:
        raise ValueError(
            "`sample_weight` must have the shape (batch,), since the model "
            f"predicts {tuple(predictions.shape)}, one for each example. "
            f"Received: sample_weight of shape {tuple(sample_weight.shape)}"
        )


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
    """Losses as a list of this library's."""
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
    """The weights of losses as a list."""
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
    if not isinstance(feature, str):
        return ", ".join(map(_in_words, feature))
    kind, _, layer = feature.partition(".")
    if kind in names.LAYER_KINDS or kind == names.LAYER:
        return f"layer {layer}"
    if kind == names.OUTPUT:
        return f"output {layer}"
    return kind
