"""The student's predictions follow the teacher's soft targets."""

import warnings

import keras
from keras import ops

from keras_distill.checks.arguments import Number
from keras_distill.checks.arguments import check_bool
from keras_distill.checks.arguments import check_choice
from keras_distill.checks.numbers_or_schedules import check_number_or_schedule
from keras_distill.checks.numbers_or_schedules import config_of
from keras_distill.checks.numbers_or_schedules import in_words
from keras_distill.features import names
from keras_distill.features.output_activations import BETWEEN_0_AND_1
from keras_distill.features.output_activations import LOG_SOFTMAX
from keras_distill.features.output_activations import SIGMOID
from keras_distill.features.output_activations import SOFTMAX
from keras_distill.losses import functional
from keras_distill.losses.distillation_loss import DistillationLoss
from keras_distill.losses.matching import Match

_NORMALIZATIONS = ("sum_over_classes", "official")
_SQUARED = ("mse", "half_sum_of_squares")
_TEMPERATURE = Number(float, above=0)
_PROBABILITIES = (SOFTMAX, SIGMOID, "log_sigmoid")
_IN_WORDS = {
    LOG_SOFTMAX: (
        "log-probabilities; their softmax is that of the logits, so they "
        "serve as well"
    ),
    BETWEEN_0_AND_1: (
        "numbers between 0 and 1 alone, which look like probabilities"
    ),
}


@keras.saving.register_keras_serializable("keras_distill")
class LogitsDistillation(DistillationLoss):
    """The student's predictions follow the teacher's soft targets.

    With `T` the temperature, for one prediction:

    - `"kl"`: `T^2 * KL(softmax(teacher / T) || softmax(student / T))`;
    - `"cross_entropy"`: `-sum_c softmax(teacher / T)_c *
      log softmax(student / T)_c`, which differs from `"kl"` by the constant
      entropy of the teacher and, in its gradient, by the factor `T^2`;
    - `"mse"`: `mean_c (teacher_c - student_c)^2`, for regression or for
      logits; it has no temperature;
    - `"half_sum_of_squares"`: `1/2 * sum_c (teacher_c - student_c)^2`, that is
      `C / 2` times `"mse"`.

    Predictions of shape `(B, C)` count as they are. Token predictions
    `(B, L, C)` are averaged over real tokens; per-token sample weights weigh
    them. Models with several outputs are compared output by output and
    summed.

    Args:
        temperature: float, or a schedule, a function of the optimizer's
            step. More than 0; with squared differences it must be 1. Defaults
            to `1.0`.
        loss: str. `"kl"`, `"cross_entropy"`, `"mse"` or
            `"half_sum_of_squares"`. Defaults to `"kl"`.
        multi_label: bool. Whether the classes are independent yes/no labels:
            sigmoids instead of a softmax, summed over classes. Defaults to
            `False`.
        outputs: Optional sequence of output names (keys, or indices of a
            list). Which outputs of a model with several ones are compared.
            Defaults to all that teacher and student both have.
        normalization: str. `"sum_over_classes"` as in the formulas above, or
            `"official"`: the mean over classes, as in TinyBERT's script
            (`1 / C` of the value). Defaults to `"sum_over_classes"`.
        name: str. Defaults to `"logits"`.

    Raises:
        ValueError: At construction for arguments that do not fit together;
            when matched, if outputs have different sizes, end in a softmax
            or sigmoid however it is spelled (the loss needs logits; the
            squared ones take probabilities from both), or have one class
            only, whose softmax says nothing.

    Example:

    ```python
    from keras_distill import losses

    loss = losses.LogitsDistillation(temperature=2.0)
    ```

    Reference:
        - Hinton et al. 2015, https://arxiv.org/abs/1503.02531.
        - TinyBERT, https://arxiv.org/abs/1909.10351
          (`loss="cross_entropy"`); official code: `task_distill.py`.
        - XtremeDistil, https://arxiv.org/abs/2004.05686
          (`loss="half_sum_of_squares"`, there summed over tokens).
        - XtremeDistilTransformers,
          https://github.com/microsoft/xtreme-distil-transformers
          (`loss="mse"`), `models.py`.
    """

    changing_numbers = ("temperature",)

    def __init__(
        self,
        temperature=1.0,
        loss="kl",
        multi_label=False,
        outputs=None,
        normalization="sum_over_classes",
        name="logits",
    ):
        super().__init__(name)
        check_choice("loss", loss, ("kl", "cross_entropy", *_SQUARED))
        check_choice("normalization", normalization, _NORMALIZATIONS)
        check_bool("multi_label", multi_label)
        _check_outputs(outputs)
        if (loss, normalization) == ("half_sum_of_squares", "official"):
            raise ValueError(
                '`normalization="official"` is a mean over classes. Received: '
                'loss="half_sum_of_squares", which is a sum. Use loss="mse" '
                "for the mean."
            )
        self.temperature = temperature
        self.loss = loss
        self.multi_label = multi_label
        self.outputs = None if outputs is None else tuple(outputs)
        self.normalization = normalization
        self.check_numbers()

    def check_numbers(self):
        check_number_or_schedule("temperature", self.temperature, _TEMPERATURE)
        if self._is_squared and (self.temperature != 1 or self.multi_label):
            raise ValueError(
                f'`loss="{self.loss}"` compares the outputs as they are. '
                f"Received: temperature={self.temperature}, multi_label="
                f"{self.multi_label}. Leave both at their defaults, or use "
                'loss="kl".'
            )

    def match(self, teacher, student):
        return tuple(
            Match(feature, feature, self._note(teacher, student, feature))
            for feature in self._output_features(teacher, student)
        )

    def per_example(self, teacher, student, mask=None):
        values = self._per_prediction(teacher, student)
        if self.normalization == "official" and not self._is_squared:
            values = values / teacher.shape[-1]
        if len(values.shape) == 2:
            return functional.token_mean(values, mask)
        return values

    def get_config(self):
        return {
            **super().get_config(),
            "temperature": config_of(self.temperature),
            "loss": self.loss,
            "multi_label": self.multi_label,
            "outputs": None if self.outputs is None else list(self.outputs),
            "normalization": self.normalization,
        }

    @property
    def _is_squared(self):
        return self.loss in _SQUARED

    def _per_prediction(self, teacher, student):
        if self._is_squared:
            values = functional.mean_squared_error(teacher, student)
            if self.loss == "half_sum_of_squares":
                values = values * (0.5 * teacher.shape[-1])
            return values
        formula = {
            ("kl", False): functional.soft_targets_kl,
            ("kl", True): functional.soft_binary_kl,
            ("cross_entropy", False): functional.soft_cross_entropy,
            ("cross_entropy", True): functional.soft_binary_cross_entropy,
        }[self.loss, self.multi_label]
        return formula(teacher, student, self.temperature)

    def _output_features(self, teacher, student):
        features = None
        if self.outputs is not None:
            features = [f"{names.OUTPUT}.{output}" for output in self.outputs]
        if teacher.is_opaque or student.is_opaque:
            return features or [names.LOGITS]
        of_teacher = teacher.output_activations
        of_student = student.output_activations
        if features is None:
            features = [name for name in of_student if name in of_teacher]
        missing = [
            name
            for name in features
            if name not in of_teacher or name not in of_student
        ]
        if missing or not features:
            raise ValueError(
                "`LogitsDistillation` found no output to compare: the teacher "
                f"has {list(of_teacher)}, the student {list(of_student)}. "
                f"Received: outputs={self.outputs}. Name outputs that both "
                "models have, or use `FeatureDistillation`."
            )
        return features

    def _note(self, teacher, student, feature):
        self._check_activations(teacher, student, feature)
        if teacher.is_opaque or student.is_opaque:
            return f"logits, {self._formula()}"
        size = _check_sizes(teacher, student, feature)
        self._check_size(size)
        return f"logits, {size} classes, {self._formula()}"

    def _check_size(self, size):
        if size == 1 and not (self._is_squared or self.multi_label):
            raise ValueError(
                "The models give one number each, whose softmax is always 1. "
                f'Received: loss={self.loss!r}. Use loss="mse" for '
                "regression, multi_label=True for a yes/no label, or "
                "`RankingDistillation` for candidates of queries."
            )

    def _formula(self):
        if self._is_squared:
            return self.loss.replace("_", " ")
        kind = "sigmoid" if self.multi_label else "softmax"
        return (
            f"{self.loss} of {kind}, temperature {in_words(self.temperature)}"
        )

    def _check_activations(self, teacher, student, feature):
        """Raises, or warns, where probabilities stand for logits."""
        ends = {
            role: (model, model.output_activations.get(feature))
            for role, model in (("teacher", teacher), ("student", student))
        }
        if self._is_squared:
            # Defined for probabilities just as well, if both give them.
            kinds = [end for _, end in ends.values()]
            if kinds[0] == kinds[1] or not {SOFTMAX, LOG_SOFTMAX} & {*kinds}:
                return
        for role, (model, end) in ends.items():
            if end in self._refused_ends:
                raise ValueError(
                    f"`LogitsDistillation` needs logits, but the {role} "
                    f"'{model.name}' ends in a {end}. Build it with "
                    "`activation=None` and train it with a loss that has "
                    "`from_logits=True`."
                )
            if end in (LOG_SOFTMAX, BETWEEN_0_AND_1):
                warnings.warn(
                    f"`LogitsDistillation` takes logits, but the {role} "
                    f"'{model.name}' gives {_IN_WORDS[end]}.",
                    stacklevel=2,
                )

    @property
    def _refused_ends(self):
        # The softmax of log-probabilities is that of the logits; their
        # sigmoid and their squares are not.
        if self._is_squared or self.multi_label:
            return (*_PROBABILITIES, LOG_SOFTMAX)
        return _PROBABILITIES


def _check_sizes(teacher, student, feature):
    teacher_shape = teacher.shape(feature)
    student_shape = student.shape(feature)
    if (len(teacher_shape), teacher_shape[-1]) != (
        len(student_shape),
        student_shape[-1],
    ):
        raise ValueError(
            f"The output '{feature}' of the teacher has shape "
            f"{teacher_shape} and that of the student {student_shape}. Both "
            "need the same number of classes, in the same order."
        )
    if len(teacher_shape) not in (2, 3):
        raise ValueError(
            "`LogitsDistillation` compares outputs (batch, classes) or "
            f"(batch, tokens, classes). Received: output '{feature}' of shape "
            f"{teacher_shape}. Give the output an axis of classes, or "
            "use `FeatureDistillation`."
        )
    return teacher_shape[-1]


def _check_outputs(outputs):
    if outputs is None:
        return
    if isinstance(outputs, str) or not outputs:
        raise ValueError(
            "`outputs` must be a list of the outputs' names or places, at "
            f"least one, or None for all. Received: outputs={outputs!r}"
        )


def token_weights(sample_weight, mask):
    """A mask that also weighs tokens, from per-token sample weights."""
    weights = functional.as_float32(sample_weight)
    return weights if mask is None else weights * ops.cast(mask, "float32")
