"""Who answers: a model, several that answer as one, or another system."""

import functools

import keras
import numpy as np

from keras_distill.data import TaggedExamples
from keras_distill.data import TokenizedExamples
from keras_distill.data import TokenizedTags
from keras_distill.features import ModelDescription
from keras_distill.features import describe
from keras_distill.features import names
from keras_distill.io.hashes import arrays_hash
from keras_distill.io.hashes import json_hash
from keras_distill.packing import tokenizer_fingerprint
from keras_distill.teachers.cache.contents import Contents
from keras_distill.teachers.cache.fingerprint import architecture
from keras_distill.teachers.cache.fingerprint import weights_fingerprint
from keras_distill.teachers.cache.teacher_run import TeacherRun
from keras_distill.teachers.checks import label_columns


class Source:
    """Who answers.

    Attributes:
        name: str.
        description: `keras_distill.features.ModelDescription`.
        label_names: What the logits stand for, or `None`.
        soft_labels: str, a hash of the answers where no model is asked.
        member_names: sequence of str, the names of the models.
        parts: tuple of models, each with `open`, whose answers are kept in
            caches of their own before others are made of them.
    """

    soft_labels = None
    member_names = ()
    parts = ()

    def rows(self, examples):
        """The examples as they are read."""
        return examples

    def members(self, examples):
        """list of dict, of whom the manifest tells."""
        return []


class ModelSource(Source):
    """A model that answers."""

    def __init__(self, model, label_names=None):
        if not isinstance(model, keras.Model):
            raise ValueError(
                "`teacher` must be a keras.Model or a "
                "keras_distill.teachers.TeacherEnsemble. Received: "
                f"teacher={model!r}"
            )
        self.name = model.name
        self.member_names = [model.name]
        self.label_names = label_names
        self.model = model

    @functools.cached_property
    def description(self):
        return describe(self.model)

    def rows(self, examples):
        return tokenized(self.model, examples)

    def members(self, examples):
        return [member_of(self.model, examples)]

    def run(self, features, batch_size, folders):
        """A function of rows that yields their features batch by batch."""
        return TeacherRun(self.model, features, batch_size)


class EnsembleSource(Source):
    """Several models that answer as one.

    Each is asked for all rows before the next one is, so that memory holds
    one of them; what it said is kept as a cache of its own.
    """

    def __init__(self, ensemble):
        self.name = f"ensemble of {len(ensemble.members)}"
        self.label_names = ensemble.label_names
        self.parts = tuple(ensemble.members)
        self.member_names = [member.name for member in self.parts]
        self._ensemble = ensemble
        outputs = self.parts[0].outputs
        of_tokens = (None,) * outputs.are_of_tokens
        self.description = _of_logits(self.name, (*of_tokens, outputs.width))

    def rows(self, examples):
        if self.parts[0].outputs.are_of_tokens and not is_tokenized(examples):
            raise ValueError(
                "`examples` must be tokenised, as by keras_distill.tasks."
                "TokenizedTags, where members answer for each token: what "
                "they say is put together token by token. Received: "
                f"{type(examples).__name__}."
            )
        return examples

    def members(self, examples):
        return [_opened(member, examples) for member in self.parts]

    def run(self, features, batch_size, folders):
        """Reads what the members said, from the caches in `folders`."""
        parts = [Contents(folder) for folder in folders]

        def run(rows):
            for first in range(0, len(rows), batch_size):
                ids = rows.ids[first : first + batch_size]
                logits = [part.read(ids)[names.LOGITS] for part in parts]
                yield {names.LOGITS: self._ensemble.combine(logits)}

        return run


class SoftLabelSource(Source):
    """What another system said of the rows, found by their ids."""

    name = "soft labels"

    def __init__(self, soft_labels, examples):
        self._rows = {
            str(one): row for row, one in enumerate(soft_labels.ids.tolist())
        }
        _check_same_ids(self._rows, examples.ids)
        self._logits = np.asarray(soft_labels.logits(), "float32")
        self.label_names = soft_labels.label_names
        of_examples = getattr(examples, "label_names", None)
        columns = label_columns(self.label_names, of_examples, "`soft_labels`")
        if columns is not None:
            self._logits = self._logits[:, columns]
            self.label_names = of_examples
        self.description = _of_logits(self.name, self._logits.shape[1:])
        in_order = sorted(self._rows)
        self.soft_labels = arrays_hash(
            [self._logits[[self._rows[name] for name in in_order]]],
            about=json_hash(in_order),
        )

    def run(self, features, batch_size, folders):
        """A function of rows that finds their logits."""

        def run(rows):
            chosen = [self._rows[str(one)] for one in rows.ids.tolist()]
            yield {names.LOGITS: self._logits[chosen]}

        return run


def _opened(member, examples):
    """What `member_of` gives of a model, which is let go."""
    with member.open() as model:
        if is_tokenized(examples):
            _check_reads(model, examples, member.in_words)
        return member_of(model, examples)


def _check_reads(model, examples, name):
    """Raises if token ids mean something else to a member."""
    preprocessor = getattr(model, "preprocessor", None)
    known = getattr(examples, "tokenizer_fingerprint", None)
    if None in (preprocessor, known):
        return
    if tokenizer_fingerprint(preprocessor.tokenizer) not in (None, known):
        raise ValueError(
            f"The tokenizer of {name} is another one than that of `examples`. "
            "Pass the raw keras_distill.tasks.Examples, which each member "
            "tokenises for itself."
        )


def is_tokenized(examples):
    """Whether examples have batches of token ids."""
    return hasattr(examples, "iterate")


def _of_logits(name, shape):
    """The description of what gives logits alone."""
    return ModelDescription(
        name, 0, {names.LOGITS: (None, *shape)}, {names.LOGITS: None}
    )


def tokenized(model, examples):
    """The rows that a model reads; raw ones by its own preprocessor."""
    if is_tokenized(examples):
        return examples
    is_tagged = isinstance(examples, TaggedExamples)
    kind = TokenizedTags if is_tagged else TokenizedExamples
    return kind(examples, _preprocessor_of(model, examples))


def _preprocessor_of(model, examples):
    preprocessor = getattr(model, "preprocessor", None)
    if preprocessor is None:
        raise ValueError(
            "`examples` must be tokenised, as by keras_distill.tasks."
            "TokenizedExamples, where a teacher has no preprocessor. "
            f"Received: {type(examples).__name__} for '{model.name}'."
        )
    return preprocessor


def member_of(model, examples):
    """What tells a model, and the way it reads, from others."""
    if is_tokenized(examples):
        tokenizer = getattr(examples, "tokenizer_fingerprint", None)
        sequence_length = examples.sequence_length
    else:
        preprocessor = _preprocessor_of(model, examples)
        tokenizer = tokenizer_fingerprint(preprocessor.tokenizer)
        sequence_length = preprocessor.sequence_length
    return {
        "weights": weights_fingerprint(model),
        "architecture": architecture(model),
        "dtype": model.dtype_policy.name,
        "tokenizer": tokenizer,
        "sequence_length": int(sequence_length),
    }


def _check_same_ids(known, ids):
    """Raises unless soft labels and examples have the same ids."""
    wanted = dict.fromkeys(map(str, ids.tolist()))
    for these, others, what in (
        (wanted, known, "must have a row for each example. There is none for"),
        (known, wanted, "must be of `examples`. There is no example with"),
    ):
        missing = [name for name in these if name not in others]
        if missing:
            more = f" and {len(missing) - 1:,} more" * (len(missing) > 1)
            way_out = ""
            if these is wanted:
                way_out = (
                    " `SoftLabels.filled(examples)` takes the labels of rows "
                    "without one."
                )
            raise ValueError(
                f"`soft_labels` {what} the id {missing[0]}{more}.{way_out}"
            )
