"""The parts of a student, from its top to its bottom."""

import keras

from keras_distill.checks.model_of import model_of
from keras_distill.features import describe
from keras_distill.features import names
from keras_distill.features import weights_below
from keras_distill.models import MultiTaskModel

# The parts, top first: what stands above the transformer layers, each of
# these, and what stands below them.
HEAD = "head"
LAYER = "layer"
EMBEDDINGS = "embeddings"

# All parts below the head, for short.
ENCODER = "encoder"


def parts_of(student):
    """The weights of a student by part, top first.

    The parts are `"head"` (all above the last transformer layer, the pooler
    among it), `"layer.3"`, `"layer.2"`, `"layer.1"` (the transformer layers,
    counted from 1) and `"embeddings"` (all below the first one). A weight
    that two parts share, such as a word table that makes predictions as well,
    belongs to the lower one. Of a `MultiTaskModel` the heads of all tasks are
    the head. The order follows from the model alone.

    Args:
        student: `keras.Model`.

    Returns:
        dict of part name to list of `keras.Variable`; empty if no
        transformer layer is found in the student.

    Example:

    ```python
    import keras_hub
    from keras_distill import students

    backbone = keras_hub.models.BertBackbone(
        vocabulary_size=100, num_layers=2, num_heads=2, hidden_dim=8,
        intermediate_dim=16, max_sequence_length=32,
    )
    print(list(students.parts_of(backbone)))
    ```
    """
    student = model_of(student)
    whole = student
    if isinstance(student, MultiTaskModel):
        # What stands below a head is the same for each of them.
        student = next(iter(student.task_models.values()))
    description = describe(student)
    if not description.num_layers:
        return {}
    below = weights_below(student, names.HIDDEN_STATES, description)
    parts, known = {}, set()
    for number, weights in enumerate(below.values()):
        name = layer_part(number) if number else EMBEDDINGS
        parts[name] = [w for w in weights if id(w) not in known]
        known |= {id(w) for w in weights}
    parts[HEAD] = [w for w in whole.weights if id(w) not in known]
    return dict(reversed(parts.items()))


def layer_part(number):
    """The name of a transformer layer's part, such as `"layer.3"`.

    Args:
        number: int. The layer, counted from 1.
    """
    return f"{LAYER}.{number}"


def select(parts, chosen):
    """The weights of parts and layers.

    Args:
        parts: dict of part name to list of `keras.Variable`, top first, as
            `parts_of` gives it.
        chosen: One part or layer, or a sequence of them: a name in `parts`,
            `"encoder"` for all of the transformer layers and the embeddings,
            or a `keras.layers.Layer`.

    Returns:
        list of `keras.Variable`, each once.

    Raises:
        ValueError: If there is no such part.
    """
    if isinstance(chosen, (str, keras.layers.Layer)):
        chosen = [chosen]
    weights = {}
    for one in chosen:
        for weight in _weights_of(parts, one):
            weights[id(weight)] = weight
    return list(weights.values())


def _weights_of(parts, chosen):
    if isinstance(chosen, keras.layers.Layer):
        return chosen.weights
    if chosen == ENCODER and EMBEDDINGS in parts:
        return [
            weight
            for name, weights in parts.items()
            if name == EMBEDDINGS or name.startswith(f"{LAYER}.")
            for weight in weights
        ]
    if not isinstance(chosen, str) or chosen not in parts:
        raise ValueError(
            "A part of the student must be a layer or one of the names "
            f"{', '.join([*parts, ENCODER])}, which only a student with "
            f"transformer layers has. Received: {chosen!r}"
        )
    return parts[chosen]
