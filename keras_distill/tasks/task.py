"""What every kind of task has: its texts, its labels, how it is learnt."""

import dataclasses

import numpy as np

from keras_distill.checks.arguments import check_int
from keras_distill.checks.model_of import model_of
from keras_distill.data.concatenate import concatenate
from keras_distill.losses import LogitsDistillation
from keras_distill.tasks.kinds import kind_named
from keras_distill.tasks.metrics import check_metrics
from keras_distill.teachers import TeacherEnsemble
from keras_distill.teachers.checks import check_kind_of_outputs
from keras_distill.teachers.checks import check_label_names as check_names


@dataclasses.dataclass(frozen=True)
class Task:
    """A task: its texts, its labels, and all that depends on their kind.

    Called itself it makes the kind that `label_names` show: a
    `ClassificationTask`, or a `RegressionTask` where they are `None`. The
    other kinds are made by their own class. Whoever trains, measures, selects
    or exports asks the task, and never which kind it is.

    A new kind is a subclass in a file of its own that fills in what is marked
    below, under `@keras_distill.tasks.register_kind`;
    `keras_distill.testing.check_task` says what is missing.

    Args:
        name: string. The name by which `keras_distill.tasks.load` knows it.
        text_columns: tuple of one or two strings. The names of the texts.
        label_names: tuple of strings in the order of the class indices, or
            `None` for regression.
        metrics: tuple of strings. The official metrics; the first one
            selects models. `"accuracy"`, `"macro_f1"` and `"matthews"` fit
            classes, `"f1"` (of class 1) two classes, `"pearson"`,
            `"spearman"` and `"pearson_spearman"` a regression.
        sequence_length: int. The most tokens that an example may have,
            special tokens included: 64 for one text and 128 for two in the
            papers.

    Attributes:
        kind: string. The name of the kind, such as `"classification"`.
        num_outputs: int. The width of a model's output.
        selection_metric: string. The metric by which models are compared.
        model_class: the KerasHub task class of its models.
        examples_class: the class of its rows, such as `Examples`.
        class_names: tuple of strings, the classes of which each text has one,
            or `None` where texts have no one class.

    Example:

    >>> import keras_distill
    >>> task = keras_distill.tasks.get_task("rte")
    >>> task.kind, task.label_names
    ('classification', ('entailment', 'not_entailment'))
    >>> task.num_outputs
    2
    """

    name: str
    text_columns: tuple
    label_names: tuple | None
    metrics: tuple
    sequence_length: int

    # A kind fills in these.
    kind = None
    METRICS = {}
    # Those that data of one's own are measured by, unless it is said.
    DEFAULT_METRICS = ()
    # Whether its labels have names, which may be read off data.
    has_label_names = True
    model_class = None
    examples_class = None
    # What Hugging Face calls a head for it.
    problem_type = None
    # How `agreement` is shown, and told of {examples} and a {reference}.
    agreement_unit = "%"
    agreement_note = (
        "Share of {examples} on which the model predicts the same label as "
        "the {reference}, right or wrong."
    )
    # How many texts an example may have.
    most_texts = 2
    # Whether an example has one answer, and not one for each word.
    answers_texts = True
    # What makes probabilities of outputs, which are logits then; or `None`.
    activation = None

    def __new__(cls, *args, **kwargs):
        if cls is Task:
            names = args[2] if len(args) > 2 else kwargs.get("label_names")
            cls = kind_named(
                "regression" if names is None else "classification"
            )
        return object.__new__(cls)

    def __post_init__(self):
        # A frozen dataclass sets its own normalised fields this way.
        object.__setattr__(
            self, "text_columns", check_text_columns(self.text_columns)
        )
        if len(self.text_columns) > self.most_texts:
            raise ValueError(
                f"`text_columns` must be one name, since a task of {self.kind} "
                f"has one text. Received: {self.text_columns!r}."
            )
        object.__setattr__(
            self, "label_names", self.check_label_names(self.label_names)
        )
        check_metrics(
            self.metrics,
            self.fitting_metrics(self.label_names),
            self.labels_in_words,
        )
        object.__setattr__(self, "metrics", tuple(self.metrics))
        if not isinstance(self.name, str) or not self.name:
            raise ValueError(
                f"`name` must be a string. Received: name={self.name!r}."
            )
        # A token between the start and the end.
        length = check_int("sequence_length", self.sequence_length, minimum=3)
        object.__setattr__(self, "sequence_length", length)

    @classmethod
    def check_label_names(cls, label_names):
        """Returns the label names as this kind has them, or raises."""
        return check_label_names(label_names)

    @classmethod
    def fitting_metrics(cls, label_names):
        """The metrics that fit labels of these names.

        Args:
            label_names: sequence of strings by class index, or `None`.

        Returns:
            List of strings.

        Example:

        >>> from keras_distill import tasks
        >>> tasks.ClassificationTask.fitting_metrics(("sad", "glad", "calm"))
        ['accuracy', 'macro_f1', 'matthews']
        """
        count = None if label_names is None else len(label_names)
        return [
            name
            for name, metric in cls.METRICS.items()
            if metric.num_classes in (None, count)
        ]

    @property
    def labels_in_words(self):
        """What the labels are, for messages."""
        return f"{len(self.label_names)} classes"

    @property
    def num_outputs(self):
        """The width of a model's output: the number of classes, or 1."""
        return len(self.label_names)

    @property
    def selection_metric(self):
        """The metric by which models are compared."""
        return self.metrics[0]

    @property
    def class_names(self):
        """The classes of which each text has one, or `None`."""
        return None

    def selected_by(self, metric):
        """The same task, whose models are compared by another metric.

        Args:
            metric: string. A metric that fits the labels; it is measured as
                well if it was not.

        Returns:
            `Task`.

        Raises:
            ValueError: an unknown metric, or one that does not fit.

        Example:

        >>> import keras_distill
        >>> task = keras_distill.tasks.get_task("mnli")
        >>> task.selected_by("macro_f1").metrics
        ('macro_f1', 'accuracy')
        """
        others = tuple(name for name in self.metrics if name != metric)
        return dataclasses.replace(self, metrics=(metric, *others))

    def to_config(self):
        """The task as a dict that JSON can hold, for `from_config`."""
        config = dataclasses.asdict(self)
        return {"kind": self.kind, **config}

    @staticmethod
    def from_config(config):
        """The task that `to_config` described.

        Args:
            config: dict with `"kind"` and the arguments of its class.

        Returns:
            `Task`.

        Raises:
            ValueError: a kind that nobody registered.

        Example:

        >>> import keras_distill
        >>> task = keras_distill.tasks.get_task("rte")
        >>> keras_distill.tasks.Task.from_config(task.to_config()) == task
        True
        """
        config = dict(config)
        return kind_named(config.pop("kind", None))(**config)

    # Rows.

    def encode_labels(self, labels):
        """Labels as people have them, as models take them.

        Args:
            labels: list, array or series, read by position.

        Returns:
            Array.

        Raises:
            ValueError: a label that is missing or none of the task's, with
                its row.
        """
        raise NotImplementedError

    def label_parser(self, separator=None):
        """A function from a label as a file spells it to an encoded one.

        Args:
            separator: string. What stands between several labels of a text.
                Defaults to `None`.

        Returns:
            Function that raises a ValueError on what is no label.
        """
        raise NotImplementedError

    def spell_label(self, label):
        """A label as a file spells it, which `label_parser` reads.

        Args:
            label: an encoded one.

        Returns:
            str.
        """
        raise NotImplementedError

    def as_examples(self, rows):
        """Rows as examples of this kind.

        Args:
            rows: examples, or a list of texts without labels.

        Returns:
            Of `examples_class`.

        Raises:
            ValueError: another kind of rows.
        """
        raise NotImplementedError

    def unlabelled(self, examples):
        """Plain texts as rows of this kind, such as text to distil on.

        Args:
            examples: `keras_distill.tasks.Examples`. Labels are left out.

        Returns:
            Of `examples_class`, without labels.
        """
        raise NotImplementedError

    def texts(self, examples):
        """The raw texts of examples, as a served model takes them.

        Args:
            examples: of `examples_class`.

        Returns:
            Tuple of lists of strings, one for each text column.
        """
        raise NotImplementedError

    def hold_out(self, examples, share=0.1, seed=0, minimum=1):
        """Divides examples where there is no dev split.

        Args:
            examples: of `examples_class`.
            share: float. The share that is held out. Defaults to `0.1`.
            seed: int. The seed of the draw: the same one draws the same rows.
                Defaults to `0`.
            minimum: int. The fewest examples to hold out. Defaults to `1`.

        Returns:
            The examples to train on and those held out, both in their order.

        Raises:
            ValueError: a share that is no share, or too few examples.
        """
        count = self.num_held_out(examples, share, seed, minimum)
        order = np.random.default_rng(seed).permutation(len(examples))
        return (
            examples.select(np.sort(order[count:])),
            examples.select(np.sort(order[:count])),
        )

    @staticmethod
    def num_held_out(examples, share, seed, minimum):
        """How many rows `hold_out` is to draw, or raises."""
        if not 0 < share < 1:
            raise ValueError(
                f"`share` must be between 0 and 1. Received: share={share!r}."
            )
        check_int("seed", seed, minimum=0)
        check_int("minimum", minimum, minimum=1)
        count = max(minimum, round(share * len(examples)))
        if count >= len(examples):
            raise ValueError(
                f"`examples` must be more than the {count} that are held out. "
                f"Received: {len(examples)}."
            )
        return count

    def concatenate(self, parts):
        """Puts several sets of rows one after the other.

        Args:
            parts: list of examples.

        Returns:
            Of `examples_class`.
        """
        return concatenate(*parts)

    def tokenize(
        self,
        examples,
        preprocessor,
        sequence_length=None,
        cache_dir=None,
        progress=None,
    ):
        """Tokenises rows once.

        Args:
            examples: what `as_examples` takes.
            preprocessor: the model's preprocessor, or a KerasHub tokenizer.
            sequence_length: int. The most tokens of an example. Defaults to
                the preprocessor's.
            cache_dir: path of a folder that keeps token ids, so that the same
                texts are tokenised once. Defaults to `None`. Tagged words are
                tokenised anew each time, the same word once.
            progress: function of two ints, what is done and what is to do.
                Defaults to `None`.

        Returns:
            `keras_distill.tasks.TokenizedExamples`, for words with tags
            `TokenizedTags`.
        """
        raise NotImplementedError

    # Training.

    def label_loss(self):
        """The Keras loss of a model's outputs, which are logits, on labels."""
        raise NotImplementedError

    def output_distillation(
        self,
        temperature=1.0,
        soft_loss="kl",
        normalization="sum_over_classes",
        name="logits",
    ):
        """The loss by which a student follows a teacher's outputs.

        Args:
            temperature: float, or a schedule of it. Softens the soft targets
                of classes. Defaults to `1.0`.
            soft_loss: string. How soft targets, which `activation` makes,
                are compared: `"kl"` or `"cross_entropy"`. Outputs of a kind
                without one are compared as they are, by the mean squared
                error. Defaults to `"kl"`.
            normalization: string. As of
                `keras_distill.losses.LogitsDistillation`.
            name: string. Defaults to `"logits"`.

        Returns:
            `keras_distill.losses.DistillationLoss`.
        """
        return LogitsDistillation(
            temperature,
            "mse" if self.activation is None else soft_loss,
            multi_label=self.activation == "sigmoid",
            normalization=normalization,
            name=name,
        )

    def check_model(self, model, where="`model`"):
        """Raises unless a model is one of this task.

        Args:
            model: KerasHub task.
            where: string. What messages call it. Defaults to "`model`".

        Raises:
            ValueError: another class of model, or another number of outputs.
        """
        if not isinstance(model, self.model_class):
            raise ValueError(
                f"{where} must be a {self.model_class.__name__} for task "
                f"{self.name!r}. Received: a {type(model).__name__}."
            )
        if getattr(model, "num_texts", 1) > len(self.text_columns):
            raise ValueError(
                f"{where} must read one text for task {self.name!r}. "
                f"Received: a {type(model).__name__}, which takes pairs."
            )
        num_outputs = model.output.shape[-1]
        if num_outputs != self.num_outputs:
            raise ValueError(
                f"{where} must have {self.num_outputs} outputs for task "
                f"{self.name!r}. Received: {num_outputs} outputs; build it "
                f"with `num_classes={self.num_outputs}`."
            )

    def check_teacher(self, loaded, where="the teacher"):
        """Raises if a teacher's head was trained for something else.

        Args:
            loaded: `keras_distill.teachers.LoadedTeacher`. A new head fits
                any task.
            where: string. What messages call it. Defaults to
                `"the teacher"`.

        Raises:
            ValueError: classes in another order, another kind of problem, or
                probabilities where logits are meant.
        """
        check_names(loaded.label_names, self.label_names, where)
        check_kind_of_outputs(
            loaded, self.problem_type, where, self.activation is not None
        )

    @classmethod
    def served_model(
        cls, classifier, text_columns, label_names, sequence_length
    ):
        """A model as the functions of a SavedModel; on TensorFlow.

        Args:
            classifier: KerasHub task with a preprocessor.
            text_columns: tuple of strings. Names of the text inputs.
            label_names: tuple of strings, or `None`.
            sequence_length: int. Longest packed row, special tokens included.

        Returns:
            `keras_distill.serving.ServedModel`.
        """
        raise NotImplementedError

    @classmethod
    def served_answer(cls, outputs, probabilities, label_names):
        """What a served model answers.

        Args:
            outputs: float32 tensor `(..., num_outputs)`, of whole texts
                `(batch, num_outputs)`.
            probabilities: the same by `activation`.
            label_names: tuple of strings, or `None`.

        Returns:
            Dict of name to tensor, with a row for each of the outputs.
        """
        raise NotImplementedError

    # Measuring.

    def predict(self, model, tokenized, batch_size=64):
        """A model's outputs for all rows, in their order.

        Args:
            model: KerasHub task.
            tokenized: what `tokenize` returned.
            batch_size: int. Rows per batch. Defaults to `64`.

        Returns:
            One output for each row, as `score` takes them.
        """
        raise NotImplementedError

    def predict_logits(self, model, tokenized, batch_size=64):
        """What `predict` reads its outputs off, which ensembles average.

        Args:
            model: KerasHub task.
            tokenized: what `tokenize` returned.
            batch_size: int. Rows per batch. Defaults to `64`.

        Returns:
            Array `(rows, num_outputs)`; or a list with an array for each row.
        """
        return self.predict(model, tokenized, batch_size)

    def read_off(self, logits):
        """The outputs, as `score` takes them, of what `predict_logits` gave."""
        return logits

    def predict_examples(
        self,
        teacher,
        examples,
        sequence_length=None,
        batch_size=64,
        cache_dir=None,
    ):
        """The outputs of a model or an ensemble for rows as they were read.

        Each member of an ensemble tokenises them for itself, one after the
        other.

        Args:
            teacher: KerasHub task with a preprocessor, or
                `keras_distill.teachers.TeacherEnsemble` of such.
            examples: the rows, as `tokenize` takes them.
            sequence_length: int. As there.
            batch_size: int. Rows per batch. Defaults to `64`.
            cache_dir: As there.

        Returns:
            One output for each row, as `score` takes them.
        """

        def of_model(model):
            tokenized = self.tokenize(
                examples, model.preprocessor, sequence_length, cache_dir
            )
            return self.predict_logits(model, tokenized, batch_size)

        if isinstance(teacher, TeacherEnsemble):
            return self.read_off(teacher.run(of_model))
        return self.read_off(of_model(model_of(teacher)))

    def measure(self, labels, outputs):
        """The metrics of outputs, of labels as `encode_labels` returns them.

        Args:
            labels: one for each row.
            outputs: one for each row.

        Returns:
            Dict of metric name to float, in the order of `metrics`.
        """
        raise NotImplementedError

    def score(self, examples, outputs):
        """The metrics of outputs, and what a report says beside them.

        Args:
            examples: with labels; of `examples_class`, or tokenised.
            outputs: what `predict` returned for them.

        Returns:
            Dict of metric name to float, in the order of `metrics`; for tags
            also of `"languages"` to a dict of language to scores.

        Raises:
            ValueError: no labels, or labels and outputs that do not fit.
        """
        return self.measure(examples.labels, outputs)

    def evaluate(self, model, tokenized, batch_size=64):
        """The metrics of a model, such as `KeepBest` takes.

        Args:
            model: KerasHub task.
            tokenized: what `tokenize` returned, with labels.
            batch_size: int. Rows per batch. Defaults to `64`.

        Returns:
            Dict of metric name to float, in the order of `metrics`.
        """
        outputs = self.predict(model, tokenized, batch_size)
        scores = self.score(tokenized, outputs)
        return {name: scores[name] for name in self.metrics}

    def chance(self, labels):
        """The selection metric of who knows nothing of the text.

        Args:
            labels: those of a split, as `encode_labels` returns them.

        Returns:
            float.
        """
        raise NotImplementedError

    def agreement(self, reference_outputs, outputs):
        """How far one model answers as another does.

        Args:
            reference_outputs: what `predict` returned of the one.
            outputs: what it returned of the other.

        Returns:
            float; 1 for the same outputs.
        """
        raise NotImplementedError

    def check_labelled(self, labels):
        """Raises if there are no labels to measure by."""
        if labels is None:
            raise ValueError(
                f"`labels` must be given to measure {self.name}; the split is "
                "unlabelled. Received: None."
            )


def check_text_columns(text_columns):
    """Returns the names of text columns as a tuple, or raises.

    Args:
        text_columns: sequence of one or two strings.

    Returns:
        Tuple of strings.

    Raises:
        ValueError: another number of names, one that is no string, or the
            same twice.
    """
    if isinstance(text_columns, (list, tuple)) and len(text_columns) in (1, 2):
        names = tuple(text_columns)
        is_named = all(isinstance(name, str) and name for name in names)
        if is_named and len(set(names)) == len(names):
            return names
    hint = ""
    if isinstance(text_columns, str):
        hint = f"; a tuple of one is ({text_columns!r},)"
    raise ValueError(
        "`text_columns` must be a tuple that names one or two texts. "
        f"Received: text_columns={text_columns!r}{hint}."
    )


def check_label_names(label_names, minimum=2):
    """Returns label names as a tuple in the order of the classes, or raises.

    Args:
        label_names: list, tuple or array of strings, or `None` for a
            regression.
        minimum: int. The fewest names. Defaults to `2`.

    Returns:
        Tuple of strings, or `None`.

    Raises:
        ValueError: no order, as a set has none, too few names, one that is
             no string or empty, or the same name twice.
    """
    if label_names is None:
        return None
    received = f"Received: label_names={label_names!r}"
    count = {1: "one string", 2: "two different strings"}[minimum]
    wanted = (
        f"`label_names` must be a tuple of at least {count} in the order of "
        "the class indices, or None for a regression."
    )
    if isinstance(label_names, dict):
        raise ValueError(
            f"{wanted} {received}; of a dict of index to name, such as a "
            "Hugging Face model's `id2label`, that is "
            "[id2label[i] for i in range(len(id2label))]."
        )
    if isinstance(label_names, (set, frozenset)):
        raise ValueError(
            f"{wanted} {received}, a set, which has no order; sort it: "
            f"{sorted(map(str, label_names))}."
        )
    if isinstance(label_names, (str, bytes)):
        raise ValueError(f"{wanted} {received}, a plain string.")
    try:
        names = list(label_names)
    except TypeError:
        raise ValueError(f"{wanted} {received}.") from None
    for index, name in enumerate(names):
        if not isinstance(name, str):
            raise ValueError(
                f"{wanted} {received}, whose name {index} is of type "
                f"{type(name).__name__}."
            )
        if not name.strip() or name != name.strip():
            raise ValueError(
                f"{wanted} {received}, whose name {index} is "
                f"{'empty' if not name.strip() else 'padded with spaces'}."
            )
        if name in names[:index]:
            raise ValueError(f"{wanted} {received}, with {name!r} twice.")
    if len(names) < minimum:
        raise ValueError(f"{wanted} {received}.")
    return tuple(map(str, names))
