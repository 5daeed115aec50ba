"""An ensemble as one Keras model, all members in memory."""

import keras
from keras import ops

from keras_distill.features import FeatureAdapter
from keras_distill.features import names
from keras_distill.features import register_adapter
from keras_distill.features import select_inputs
from keras_distill.features.rebuild import symbolic_inputs
from keras_distill.models.saving import model_config
from keras_distill.packing import layout_of
from keras_distill.packing.vocabulary import model_tokenizer
from keras_distill.packing.vocabulary import vocabulary_difference
from keras_distill.teachers.ensembles.averaging import mean_logits


@keras.saving.register_keras_serializable("keras_distill")
class EnsembleModel(keras.Model):
    """What `TeacherEnsemble.model` is: the mean of its members' outputs.

    Members that read the same token ids read the same inputs. The ids of the
    first member's tokenizer have the names that the member gives them; those
    of the next tokenizer have `"reader_1."` before them, and so on.

    Args:
        members: list of `keras.Model`.
        columns: list with an entry for each member: `None`, or where its
            outputs stand for each class of the ensemble.
        activation: `"softmax"`, `"sigmoid"` or `None`: what makes
            probabilities of the outputs.
        readers: Optional list with an entry for each member: the number of
            the tokenizer whose ids it reads. Defaults to `None`: as their
            tokenizers and the way they pack texts show.
        name: str. Defaults to `"ensemble"`.
        **kwargs: Further arguments of `keras.Model`.

    Attributes:
        members: list of `keras.Model`.
        prefixes: list with an entry for each member: what stands before the
            names of the inputs that it reads.
    """

    # `TeacherEnsemble` refuses members that give probabilities.
    gives_logits = True

    def __init__(
        self,
        members,
        columns,
        activation,
        readers=None,
        name="ensemble",
        **kwargs,
    ):
        super().__init__(name=name, **kwargs)
        self.members = list(members)
        self._columns = [None if c is None else tuple(c) for c in columns]
        self._activation = activation
        self._numbers = readers or _numbers_of_readers(self.members)
        # Past Keras's tracking, which would wrap it.
        self.__dict__["_inputs_of_all"] = self.symbolic_inputs()
        # Each model is built.
        self.built = True

    @property
    def prefixes(self):
        return [f"reader_{n}." if n else "" for n in self._numbers]

    @property
    def input(self):
        """Symbolic inputs, as functional models have them."""
        if self._inputs_of_all is None:
            raise AttributeError(f"'{self.name}' has no symbolic inputs.")
        return self._inputs_of_all

    @property
    def preprocessor(self):
        """The first member's."""
        return getattr(self.members[0], "preprocessor", None)

    def build(self, input_shape=None):
        self.built = True

    def call(self, inputs, training=None):
        outputs = []
        for prefix, member, columns in zip(
            self.prefixes, self.members, self._columns, strict=True
        ):
            x = select_inputs(member, inputs_below(prefix, inputs), "member")
            found = member(x, training=training)
            found = ops.cast(found, "float32")
            if columns is not None:
                found = ops.take(found, columns, axis=-1)
            outputs.append(found)
        return mean_logits(outputs, self._activation)

    def compute_output_spec(self, inputs, training=None):
        # JAX cannot trace `call` with lengths that are open; a functional
        # member knows what it gives.
        member = self.members[0]
        x = inputs_below(self.prefixes[0], inputs)
        x = select_inputs(member, x, "member")
        found = member.compute_output_spec(x)
        return keras.KerasTensor(found.shape, dtype="float32")

    def symbolic_inputs(self):
        """Fresh symbolic inputs of all members, or `None` if one has none."""
        found = {}
        for prefix, member in zip(self.prefixes, self.members, strict=True):
            inputs = symbolic_inputs(member)
            if not isinstance(inputs, dict):
                return inputs
            for name, tensor in inputs.items():
                named = keras.Input(
                    batch_shape=tensor.shape,
                    dtype=tensor.dtype,
                    name=prefix + name,
                )
                found.setdefault(prefix + name, named)
        return found

    def get_config(self):
        return {
            "members": [model_config(member) for member in self.members],
            "columns": self._columns,
            "activation": self._activation,
            "readers": self._numbers,
            # Keras would make two of one, and find a vocabulary for one only.
            "tokenizers": _firsts(map(model_tokenizer, self.members)),
            "name": self.name,
            "dtype": keras.saving.serialize_keras_object(self.dtype_policy),
        }

    @classmethod
    def from_config(cls, config):
        arguments = {
            key: keras.saving.deserialize_keras_object(value)
            for key, value in config.items()
        }
        members = arguments["members"]
        for member, first in zip(
            members, arguments.pop("tokenizers"), strict=True
        ):
            if first is not None:
                tokenizer = model_tokenizer(members[first])
                member.preprocessor.tokenizer = tokenizer
        return cls(**arguments)


class _EnsembleAdapter(FeatureAdapter):
    """Shows nothing but what the members answer together."""

    why_no_more = (
        "What the members of an ensemble compute inside is not shown. Use "
        "losses on outputs, such as `LogitsDistillation`, or one teacher "
        "alone."
    )

    def call(self, layer, recorder, inputs, **kwargs):
        if isinstance(inputs, dict) and names.PADDING_MASK in inputs:
            recorder.record(names.PADDING_MASK, inputs[names.PADDING_MASK])
        return layer(inputs, **kwargs)

    def inputs(self, model):
        return model.symbolic_inputs()


register_adapter(EnsembleModel, _EnsembleAdapter())


def _numbers_of_readers(members):
    """The number of the tokenizer of each member."""
    firsts, numbers = [], []
    for member in members:
        number = next(
            (i for i, first in enumerate(firsts) if reads_same(first, member)),
            len(firsts),
        )
        if number == len(firsts):
            firsts.append(member)
        numbers.append(number)
    return numbers


def reads_same(one, other):
    """Whether two models read the same ids of a text."""
    if vocabulary_difference(one, other) is not None:
        return False
    preprocessors = [
        getattr(model, "preprocessor", None) for model in (one, other)
    ]
    if None in preprocessors:
        return True
    ours, theirs = map(layout_of, preprocessors)
    return ours == theirs


def _firsts(things):
    """Where each thing stands first, `None` for no thing."""
    places = {}
    return [
        None if one is None else places.setdefault(id(one), place)
        for place, one in enumerate(things)
    ]


def inputs_below(prefix, inputs):
    """The inputs whose names have something before them, without it."""
    if not prefix:
        return inputs
    return {
        name.removeprefix(prefix): value
        for name, value in inputs.items()
        if isinstance(name, str) and name.startswith(prefix)
    }
