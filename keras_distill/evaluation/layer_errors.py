"""What of each layer's error is its own, and what came from below."""

import itertools

import keras
import numpy as np
from sklearn.linear_model import LinearRegression

from keras_distill import features
from keras_distill.layer_map import top_aligned


def layer_errors(teacher, student, to_fit, to_measure, layer_map=top_aligned):
    """What of each layer's error is its own, and what came from below.

    The error of a layer is the share of the variance of the teacher's hidden
    states that cannot be read from the student's by a linear map. It is
    measured with the student's own lower layers below it, and with the
    teacher's hidden states in their place, mapped to what the student would
    have made of them.

    Let `s` and `t` be the hidden states of a student layer and of the teacher
    layer that it is mapped to, of all real tokens of some rows.
    `error = |t - R s|^2 / |t - mean(t)|^2` on the rows `to_measure`, with the
    linear map `R` that is best on the rows `to_fit`. For `"error_of_its_own"`
    the layer is given `A t'` in place of `s'`, where `t'` and `s'` are those
    of the layer below and `A` is the linear map from `t'` to `s'` that is
    best on `to_fit`; `R` stays. It is the larger of the two where a layer has
    learned to make up for the errors below it.

    Args:
        teacher, student: KerasHub tasks of the same tokenizer.
        to_fit, to_measure: Tokenised examples, of a few hundred rows each; all
            their hidden states are held in memory.
        layer_map: Function of the numbers of layers of student and teacher
            that gives pairs of them, the embeddings as layer 0 first. Defaults
            to `keras_distill.layer_map.top_aligned`.

    Returns:
        list of dict: `"layer"` of the student, from 1, `"error"`,
        `"error_of_its_own"` and the difference, `"from_below"`.
    """
    pairs = layer_map(student.backbone.num_layers, teacher.backbone.num_layers)
    of_teacher, of_student, _ = _states(teacher, student, to_fit)
    wanted, reached, mask = _states(teacher, student, to_measure)
    found = []
    for below, here in itertools.pairwise(pairs):
        layer, teacher_layer = here
        read = LinearRegression().fit(
            of_student[layer], of_teacher[teacher_layer]
        )
        imitate = LinearRegression().fit(
            of_teacher[below[1]], of_student[below[0]]
        )
        given = _apply(
            student.backbone.transformer_layers[layer - 1],
            imitate.predict(wanted[below[1]]),
            mask,
        )
        error, own = (
            _unexplained(read, states, wanted[teacher_layer])
            for states in (reached[layer], given)
        )
        found.append(
            {
                "layer": layer,
                "error": error,
                "error_of_its_own": own,
                "from_below": error - own,
            }
        )
    return found


def _states(teacher, student, examples):
    """Both models' hidden states of all real tokens, and which are real."""
    found = []
    for model in (teacher, student):
        states = features.FeatureExtractor(
            model, ["hidden_states", "padding_mask"]
        ).predict(
            examples.batches(64, fixed_length=examples.sequence_length),
            verbose=0,
        )
        mask = states["padding_mask"].astype(bool)
        names = [f"hidden_states.{n + 1}" for n in range(len(states) - 2)]
        found.append([states[name][mask] for name in ("embeddings", *names)])
    return *found, mask


def _apply(layer, states, mask):
    """What a layer makes of the states of all real tokens."""
    padded = np.zeros((*mask.shape, states.shape[-1]), "float32")
    padded[mask] = states
    made = layer(padded, padding_mask=mask)
    return keras.ops.convert_to_numpy(made)[mask]


def _unexplained(read, states, target):
    """The share of the target's variance that the map does not give."""
    missed = np.sum((target - read.predict(states)) ** 2, dtype="float64")
    spread = np.sum((target - target.mean(axis=0)) ** 2, dtype="float64")
    return float(missed / spread)
