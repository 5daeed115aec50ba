"""Raw texts to the token ids that teacher and student read."""

import functools

import keras

from keras_distill.data import Examples
from keras_distill.data import TaggedExamples
from keras_distill.data import TokenizedExamples
from keras_distill.data import TokenizedTags
from keras_distill.fitting.checked_batches import as_batch
from keras_distill.fitting.text_columns import is_text
from keras_distill.packing import layout_of
from keras_distill.teachers.targets import TEACHER_INPUT


class TextReader:
    """Turns raw texts into the token ids that teacher and student read.

    Both read the same ids where their tokenizers and the way they pack are
    the same. A model without a preprocessor reads the other's ids. Otherwise
    each has its own; the teacher's stand in a batch under names that begin
    with `TEACHER_INPUT`. Of an ensemble that is so for each tokenizer of its
    members.

    Args:
        student: `keras.Model`.
        teacher: `keras.Model` or `TeacherCache`.
        targets: `LiveTeacher` or `CachedTeacher` of it.
        with_teacher: bool. Whether the teacher's targets are wanted.

    Attributes:
        models: dict of role, such as `"student"` or `"teacher"`, to the
            `keras.Model` that reads the batches. An ensemble's members have
            a role each.
    """

    def __init__(self, student, teacher, targets, with_teacher):
        self.models = {"student": student}
        self._cache = getattr(targets, "cache", None) if with_teacher else None
        self._readers = targets.readers if with_teacher else {}
        self.models |= {role: r.model for role, r in self._readers.items()}
        self._targets = targets
        # A student without one reads what the teacher reads.
        self._source = next(
            (
                model.preprocessor
                for model in (student, teacher)
                if getattr(model, "preprocessor", None) is not None
            ),
            None,
        )

    @property
    def models_of_same_ids(self):
        """Those of `models` that read the student's ids."""
        return {
            role: model
            for role, model in self.models.items()
            if role == "student" or self._readers[role].difference is None
        }

    def __bool__(self):
        """Whether texts can be read at all."""
        return self._source is not None

    def inputs_of(self, role, x):
        """What a model reads of a batch's inputs."""
        if role == "student":
            return x
        return self._targets.inputs_of_reader(role, x)

    def tokenize(self, rows):
        """The rows of a split, tokenised, with what the teacher gives.

        Args:
            rows: `Examples`, or `TaggedExamples` for models of tokens.

        Returns:
            `TokenizedExamples` or `TokenizedTags`.

        Raises:
            ValueError: If a model cannot read them.
        """
        if not len(rows):
            raise ValueError("`x` must hold texts. Received: no row.")
        if self._own_sources:
            # Found by the number of the row, whatever ids it had.
            rows = Examples(rows.texts)
        tokenized = _tokenize(rows, self._source, self._length)
        of_prefix = {
            prefix: _tokenize(rows, source, source.sequence_length)
            for prefix, source in self._own_sources.items()
        }
        for reader in self._readers.values():
            read = of_prefix.get(reader.prefix, tokenized)
            read.check_model(reader.model, with_labels=False)
        if of_prefix:
            tokenized = tokenized.with_targets(_TeacherIds(of_prefix))
        tokenized.check_model(self.models["student"], with_labels=False)
        if self._cache is not None:
            tokenized = self._cache.attach(tokenized)
        return tokenized

    def map_data_set(self, data_set):
        """Tokenises the batches of a data set, in the graph.

        Args:
            data_set: `tf.data.Dataset` of batches whose inputs are texts.

        Returns:
            `tf.data.Dataset` of batches of ids, each padded to its longest.

        Raises:
            ValueError: If its elements are no batches of texts.
        """
        import tensorflow as tf

        if self._cache is not None:
            raise ValueError(
                "A teacher's cache finds rows by their ids, which a "
                "tf.data.Dataset of texts does not have. Pass the texts "
                "themselves, in the order in which the cache was written."
            )
        read_columns = _columns_of(as_batch(data_set.element_spec)[0])
        packers = {"": _packer(self._source, self._length)}
        for prefix, source in self._own_sources.items():
            packers[TEACHER_INPUT + prefix] = _packer(
                source, source.sequence_length
            )

        def tokenize(*batch):
            columns = read_columns(batch[0])
            x = {
                prefix + name: ids
                for prefix, pack in packers.items()
                for name, ids in pack(columns).items()
            }
            return (x, *batch[1:])

        # Made of TensorFlow's own control flow.
        tokenize = tf.autograph.experimental.do_not_convert(tokenize)
        return data_set.map(
            tokenize, num_parallel_calls=tf.data.AUTOTUNE
        ).prefetch(tf.data.AUTOTUNE)

    @property
    def _length(self):
        """The most tokens in a row of the student's ids."""
        shared = [
            reader.model.preprocessor.sequence_length
            for reader in self._readers.values()
            if reader.prefix not in self._own_sources
            and getattr(reader.model, "preprocessor", None) is not None
        ]
        return min([self._source.sequence_length, *shared])

    @functools.cached_property
    def _own_sources(self):
        """The preprocessors of those who read other ids than the student.

        By what stands before the names of their inputs.
        """
        layout, found = layout_of(self._source), {}
        for reader in self._readers.values():
            source = getattr(reader.model, "preprocessor", None)
            if source is None or source is self._source:
                continue
            difference = reader.difference
            if difference is None:
                if layout_of(source) == layout:
                    continue
                difference = (
                    "The teacher's and the student's preprocessors pack texts "
                    "differently."
                )
            if self._targets.token_losses:
                raise ValueError(
                    f"{difference} Each would have its own token ids, and only "
                    "losses on outputs of whole texts could compare the two. "
                    f"Received: {', '.join(self._targets.token_losses)}. Give "
                    "the student the teacher's preprocessor."
                )
            found.setdefault(reader.prefix, source)
        return found


def _packer(source, sequence_length):
    """A function of string tensors that gives a model's inputs."""
    from keras_distill.packing.graph_packer import GraphPacker

    packer = GraphPacker(source, sequence_length)

    def packed(columns):
        packer.layout.check_room(sequence_length, len(columns))
        x = packer.pack(columns)
        if keras.backend.backend() == "jax":
            x = _of_few_lengths(x, packer.layout.pad, sequence_length)
        return x

    return packed


class _TeacherIds:
    """The ids that the teacher reads alone, by the number of the row.

    Args:
        of_prefix: dict of what stands before the names of inputs to the rows,
            tokenised.
    """

    def __init__(self, of_prefix):
        self._of_prefix = of_prefix

    def read(self, ids, length):
        del length
        found = {}
        for prefix, tokenized in self._of_prefix.items():
            rows = tokenized.select(ids)
            x, *_ = next(rows.iterate(len(rows)))
            found |= {TEACHER_INPUT + prefix + k: v for k, v in x.items()}
        return found

    def signature(self, length):
        del length
        found = {}
        for prefix, tokenized in self._of_prefix.items():
            x, *_ = next(tokenized.iterate(1))
            for name, value in x.items():
                key = TEACHER_INPUT + prefix + name
                found[key] = ((None, None), value.dtype)
        return found


def _of_few_lengths(x, pad, sequence_length):
    """A batch padded to a multiple of 8: JAX compiles for each length."""
    import tensorflow as tf

    width = tf.shape(x["token_ids"])[1]
    more = tf.minimum(-width % 8, sequence_length - width)
    return {
        name: tf.pad(
            ids,
            [[0, 0], [0, more]],
            constant_values=pad if name == "token_ids" else 0,
        )
        for name, ids in x.items()
    }


def _tokenize(rows, preprocessor, sequence_length):
    is_tagged = isinstance(rows, TaggedExamples)
    kind = TokenizedTags if is_tagged else TokenizedExamples
    return kind(rows, preprocessor, sequence_length)


def _columns_of(spec):
    """A function that takes the columns of texts out of a batch's inputs."""
    leaves = keras.tree.flatten(spec)
    if not all(is_text(leaf) for leaf in leaves) or len(leaves) > 2:
        raise ValueError(
            "The inputs of a tf.data.Dataset of texts must be one column of "
            "texts, or two for pairs, and nothing else. Received: elements "
            f"{spec}. Map it to (texts, labels)."
        )
    ranks = {leaf.shape.rank for leaf in leaves}
    if ranks == {1}:
        return keras.tree.flatten if len(leaves) == 1 else _in_order(spec)
    if 0 in ranks:
        raise ValueError(
            "A tf.data.Dataset of texts must be batched: `data_set.batch(32)`."
            f" Received: single texts, elements {spec}."
        )
    raise ValueError(
        "The texts of a tf.data.Dataset must be of shape (batch,). Received: "
        f"elements {spec}."
    )


def _in_order(spec):
    """Two columns in the order in which the data set has them."""
    # Flattening would sort the keys of a dict.
    if isinstance(spec, dict):
        return lambda x: [x[name] for name in spec]
    return list
