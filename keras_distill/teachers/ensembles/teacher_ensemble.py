"""Several teachers that answer as one: the mean of their probabilities."""

import contextlib
import dataclasses
import functools
import gc
import os

import keras
import keras_hub
import numpy as np

from keras_distill.checks.arguments import check_choice
from keras_distill.checks.model_of import model_of
from keras_distill.features import describe
from keras_distill.features import names
from keras_distill.teachers.checks import label_columns
from keras_distill.teachers.checks import refuse_probabilities
from keras_distill.teachers.ensembles.averaging import ACTIVATIONS
from keras_distill.teachers.ensembles.averaging import mean_logits
from keras_distill.teachers.ensembles.ensemble_model import EnsembleModel
from keras_distill.teachers.load_teacher import LoadedTeacher
from keras_distill.teachers.load_teacher import load_teacher


class TeacherEnsemble:
    """Several teachers that answer as one: the mean of their probabilities.

    It is a teacher wherever one is taken: in a `keras_distill.Distiller`, in
    `TeacherCache.write`, in `keras_distill.evaluation.compare`. It gives
    logits whose softmax is the mean of the members' probabilities, so that
    every loss on logits takes them as they are; of several labels the mean of
    the sigmoids counts, of a regression the mean of the scores, of tags the
    mean of each token's. It shows nothing of what its members compute inside.

    Members may have different encoders, heads, vocabularies and tokenizers:
    of raw texts each reads its own ids. A member whose classes are the same
    in another order is put in order by their names.

    Given as folders, members are loaded one at a time where the ensemble's
    answers are computed once (`predict`, `TeacherCache.write`), so that
    memory holds one. In a `Distiller`, which asks all of them in each step,
    all are in memory.

    Args:
        members: sequence of teachers: each a `keras.Model` that gives logits,
            what `load_teacher` returned, or a source as `load_teacher` takes
            it, such as the path of a folder, whose head must be trained.
        label_names: Optional sequence of str. The classes in the order of
            the ensemble's outputs. Defaults to the first that a member knows.
        problem_type: Optional str, as Hugging Face calls the kind of problem:
            `"single_label_classification"` (of tags, too),
            `"multi_label_classification"` or `"regression"`; `"ranking"`
            averages scores as well. Defaults to what the members know,
            otherwise to a regression where there is one output and to one
            label where there are several.
        sequence_length: Optional int. Most tokens that members read which
            are given as a source. Defaults to `None`: what each was saved
            with.
        task_class: class of these members, as `load_teacher` takes it.
            Defaults to `keras_hub.models.TextClassifier`.

    Attributes:
        members: tuple of `Member`.
        label_names: tuple of str by class index, or `None` if unknown.
        problem_type: str.
        activation: `"softmax"`, `"sigmoid"` or `None`: what makes
            probabilities of the outputs.

    Raises:
        ValueError: If there is no member, or one gives another number of
            outputs, other classes, no logits, or solves another kind of
            problem than the others. The message names it.

    Example:

    ```python
    import keras_hub
    from keras_distill import teachers

    tokenizer = keras_hub.models.BertTokenizer(
        ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "good", "dull", "film"],
        lowercase=True,
    )


    def classifier(num_layers):
        return keras_hub.models.BertTextClassifier(
            keras_hub.models.BertBackbone(
                vocabulary_size=8, num_layers=num_layers, num_heads=2,
                hidden_dim=8, intermediate_dim=16, max_sequence_length=16,
            ),
            num_classes=2,
            preprocessor=keras_hub.models.BertTextClassifierPreprocessor(
                tokenizer, sequence_length=16
            ),
        )


    ensemble = teachers.TeacherEnsemble([classifier(1), classifier(2)])
    print(len(ensemble), ensemble.problem_type)
    ```
    """

    def __init__(
        self,
        members,
        label_names=None,
        problem_type=None,
        sequence_length=None,
        task_class=keras_hub.models.TextClassifier,
    ):
        if isinstance(members, (str, os.PathLike, keras.Model, LoadedTeacher)):
            members = (members,)
        load = functools.partial(
            _load,
            num_classes=None,
            sequence_length=sequence_length,
            task_class=task_class,
        )
        found = [
            _look_at(one, number, load)
            for number, one in enumerate(members, start=1)
        ]
        if not found:
            raise ValueError(
                "`members` must hold at least one teacher. Received: none."
            )
        _check_same("outputs", [(m.in_words, m.outputs) for m in found])
        kinds = [(m.in_words, m.problem_type) for m in found if m.problem_type]
        if problem_type is not None:
            kinds.insert(0, ("`problem_type`", problem_type))
        _check_same("kind of problem", kinds)
        self.problem_type = (
            kinds[0][1] if kinds else found[0].outputs.problem_type
        )
        check_choice("problem_type", self.problem_type, tuple(ACTIVATIONS))
        self.activation = ACTIVATIONS[self.problem_type]
        if self.activation is not None:
            for member in found:
                refuse_probabilities(member.activations, member.in_words)
        if label_names is None:
            known = (member.label_names for member in found)
            label_names = next(filter(None, known), None)
        self.label_names = None if label_names is None else tuple(label_names)
        width = found[0].outputs.width
        if self.label_names and len(self.label_names) != width:
            raise ValueError(
                f"`label_names` must name each of the {width} outputs of the "
                f"members. Received: {', '.join(self.label_names)}"
            )
        self.members = tuple(
            dataclasses.replace(
                member,
                columns=label_columns(
                    member.label_names, self.label_names, member.in_words
                ),
            )
            for member in found
        )

    def __len__(self):
        return len(self.members)

    @functools.cached_property
    def model(self):
        """All members as one `keras.Model`, in memory."""
        with contextlib.ExitStack() as stack:
            return EnsembleModel(
                [stack.enter_context(one.open()) for one in self.members],
                [one.columns for one in self.members],
                self.activation,
            )

    def run(self, of_model):
        """Asks one member after the other.

        Args:
            of_model: function of a `keras.Model` that gives its logits for
                some rows, as `combine` takes them.

        Returns:
            What `combine` returns of them.
        """
        return self.combine([one.run(of_model) for one in self.members])

    def combine(self, logits):
        """Puts together what the members gave for the same rows.

        Args:
            logits: sequence with an entry for each member, in the order of
                `members`: an array `(..., outputs)`, or a list of such
                arrays, one for each row.

        Returns:
            float32 array `(..., outputs)`, or a list of them: logits of the
            ensemble, in the order of its `label_names`. Those of one member
            are as they are. What is not a number of one is none.
        """
        if isinstance(logits[0], list):
            return [self.combine(row) for row in zip(*logits, strict=True)]
        found = [
            np.asarray(one, "float64")
            if member.columns is None
            else np.asarray(one, "float64")[..., member.columns]
            for one, member in zip(logits, self.members, strict=True)
        ]
        return mean_logits(found, self.activation, np).astype("float32")


@dataclasses.dataclass(frozen=True)
class Member:
    """A teacher of an ensemble, which may lie on disk while it is not used.

    Attributes:
        name: str. The model's name, or the source that it is loaded from.
        number: int. Its place in the ensemble, from 1.
        label_names: tuple of str by its own class index, or `None`.
        columns: tuple of int, its output for each class of the ensemble, or
            `None` if they stand in one order.
    """

    name: str
    number: int
    label_names: tuple | None
    problem_type: str | None
    outputs: object
    activations: dict
    load: object
    columns: tuple | None = None

    @property
    def in_words(self):
        """What messages call it."""
        return f"member {self.number}, {self.name!r}"

    def run(self, of_model):
        """What a function gives of the member, which is in memory for it."""
        with self.open() as model:
            return of_model(model)

    @contextlib.contextmanager
    def open(self):
        """The member in memory, while the block runs.

        What came from a folder is let go of when nobody holds it any more:
        keep it in no name that outlives the block, as `run` does.

        Returns:
            Context manager that gives the `keras.Model`.
        """
        yield self.load()


@dataclasses.dataclass(frozen=True)
class _Outputs:
    """What a member gives, as far as all members must have it in common."""

    width: int
    are_of_tokens: bool

    def __str__(self):
        of = "each token" if self.are_of_tokens else "a text"
        return f"{self.width} for {of}"

    @property
    def problem_type(self):
        """The kind of problem that it shows, where none is known."""
        is_score = self.width == 1 and not self.are_of_tokens
        return "regression" if is_score else "single_label_classification"


def _load(source, **options):
    """What `load_teacher` gives, once the memory of others is free."""
    # Models hold themselves in circles.
    gc.collect()
    return load_teacher(source, **options)


def _look_at(given, number, load):
    """A `Member` of what is given as one."""
    if isinstance(given, (str, os.PathLike)):
        source = os.fspath(given)
        loaded = load(source)
        if not loaded.has_head:
            raise ValueError(
                f"Member {number}, {source!r}, has no trained head: it would "
                "answer at random. Fine-tune it first, and give the folder "
                "that it was saved to."
            )
        # Only what is known of it is kept.
        return _member(loaded, source, number, lambda: load(source).classifier)
    model = model_of(given)
    if not isinstance(model, keras.Model) or not model.built:
        raise ValueError(
            "`members` must be teachers: each a built keras.Model, what "
            "`keras_distill.teachers.load_teacher` returned, or the path of a "
            f"folder. Received: {given!r}"
        )
    return _member(given, model.name, number, lambda: model)


def _member(given, name, number, load):
    description = describe(model_of(given))
    shape = description.shapes.get(names.LOGITS)
    if not shape or shape[-1] is None or len(shape) not in (2, 3):
        raise ValueError(
            f"Member {number}, {name!r}, must have one output of numbers for "
            f"each text or token. It has: {description.summary()}."
        )
    return Member(
        name,
        number,
        getattr(given, "label_names", None),
        getattr(given, "problem_type", None),
        _Outputs(shape[-1], len(shape) == 3),
        description.output_activations,
        load,
    )


def _check_same(what, found):
    """Raises unless all have something in common."""
    for name, value in found[1:]:
        first, expected = found[0]
        if value != expected:
            raise ValueError(
                f"The members of an ensemble must have the same {what}. "
                f"Received: {expected} of {first}, and {value} of {name}."
            )


def members_of(teacher):
    """The models that a teacher is: one, or those of an ensemble, in memory.

    Args:
        teacher: `keras.Model`, what `load_teacher` returned, or
            `TeacherEnsemble`.

    Returns:
        list of `keras.Model`.
    """
    model = model_of(teacher)
    return list(model.members) if isinstance(model, EnsembleModel) else [model]


@model_of.register
def _(ensemble: TeacherEnsemble):
    return ensemble.model
