"""A task of any kind: its data, and what it is trained and measured by."""

import copy

import keras
import keras_hub
import numpy as np

from keras_distill import models
from keras_distill import tasks
from keras_distill.io.saving import local_path
from recipes.common.task_data import dev_splits

# The share of a training split that serves as dev split where there is none.
_HELD_OUT = 0.1
# Never the run's: all seeds choose by the same examples.
_SEED = 0


def read_task(
    name,
    data_dir=None,
    glue_dir=None,
    quiet=False,
    tokens_dir=None,
    skip_bad_rows=False,
    encoding=None,
):
    """Opens a task by its name.

    A task without a dev split gets a tenth of its training split for one,
    drawn with a fixed seed; the test split is left alone.

    Args:
        name: str. A task of `keras_distill.tasks`, several joined by `+`, or
            tags of words, such as `"wikiann:en,de"`; see `read_tags`.
        data_dir: Optional path of the folder with tasks read from files.
        glue_dir: Optional path of the folder with GLUE.
        quiet: bool. Whether to leave out the progress of reading.
        tokens_dir: Optional path of a folder that keeps the token ids of
            texts. Tagged words are tokenised anew each time, the same words
            once.
        skip_bad_rows: bool. Whether to leave out rows of files that cannot be
            read. Defaults to `False`.
        encoding: Optional str. The encoding of files without byte order mark.

    Returns:
        `LabelledTask`.
    """
    of_files = {"skip_bad_rows": skip_bad_rows, "encoding": encoding}
    if _is_tagging(name):
        return TaggingTask(*read_tags(name, data_dir, quiet, **of_files))
    loaded = []
    for part in name.split("+"):
        folder = _folder(part, data_dir, glue_dir)
        # Other tasks of the run may be of files, where this one is not.
        options = {} if folder is None else of_files
        loaded.append(tasks.load(part, folder, **options))
    if len(loaded) > 1:
        loaded = [tasks.join_tasks(*loaded)]
    return LabelledTask(*loaded[0], tokens_dir)


def task_class_of(name):
    """The class of the models of a task.

    Args:
        name: str, as `read_task` takes it.
    """
    kind = TaggingTask if _is_tagging(name) else LabelledTask
    return kind.task_class


def read_tags(
    name, data_dir=None, quiet=False, skip_bad_rows=False, encoding=None
):
    """Opens tagged sentences of several languages as one data set.

    Args:
        name: str. A folder and its languages, such as `"wikiann:en,de"`, or
            several such joined by `+`. The folder lies in `data_dir` or in
            its folder `ner`. Tags other than WikiAnn's are those of the
            training files.
        data_dir: Optional path. Without it WikiAnn comes from TensorFlow
            Datasets.
        quiet: bool. Whether to leave out the progress of reading.
        skip_bad_rows: bool. As for `read_task`.
        encoding: Optional str. As for `read_task`.

    Returns:
        `keras_distill.tasks.Task` and its splits.
    """
    asked = [part.partition(":") for part in name.split("+")]
    pairs = [
        (folder, language)
        for folder, _, languages in asked
        for language in languages.split(",")
    ]
    languages = [language for _, language in pairs]
    if not all(languages) or len(set(languages)) < len(languages):
        raise ValueError(
            "Tags need languages after the colon, each once, such as "
            f"wikiann:en,de. Received: {name!r}"
        )
    if data_dir is None:
        if {folder for folder, _ in pairs} != {"wikiann"}:
            raise ValueError(
                "Without a data folder only WikiAnn is known, as "
                f"wikiann:en,de. Received: {name!r}"
            )
        return tasks.load_wikiann(languages, quiet=quiet)
    folders = {
        language: _tag_folder(data_dir, folder) / language
        for folder, language in pairs
    }
    of_files = {"skip_bad_rows": skip_bad_rows, "encoding": encoding}
    return tasks.load_iob(
        folders,
        label_names=_tags_of(folders, **of_files),
        name=name,
        quiet=quiet,
        **of_files,
    )


class LabelledTask:
    """A task over texts: its data, what it is trained and measured by.

    Args:
        task: `keras_distill.tasks.Task`.
        splits: mapping of split name to examples. The test split is not read.
        tokens_dir: Optional path of a folder that keeps the token ids.

    Attributes:
        task: The task.
        train: Examples to train on.
        dev: Examples to choose and to measure by.
        dev_name: str. Where they are from.
        further: dict of split name to examples that results are measured on as
            well, as those of MNLI's second dev split; nothing is chosen by
            them.
    """

    task_class = keras_hub.models.TextClassifier

    def __init__(self, task, splits, tokens_dir=None):
        self.task = task
        self._tokens_dir = tokens_dir
        self.train = splits["train"]
        names = dev_splits(splits)
        self.further = {name: splits[name] for name in names[1:]}
        if names:
            self.dev, self.dev_name = splits[names[0]], names[0]
            return
        order = np.random.default_rng(_SEED).permutation(len(self.train))
        count = max(1, round(_HELD_OUT * len(order)))
        self.dev = self.train.select(np.sort(order[:count]))
        self.train = self.train.select(np.sort(order[count:]))
        self.dev_name = "held-out part of the train"

    def tokenize(self, examples, preprocessor, length):
        """Tokenises examples of the task, or unlabelled ones."""
        return tasks.TokenizedExamples(
            examples, preprocessor, length, cache_dir=self._tokens_dir
        )

    def label_loss(self):
        """The loss on the labels."""
        return self.task.label_loss()

    def measure(self, model, tokenized):
        """The metrics of a model.

        Args:
            model: KerasHub task.
            tokenized: What `tokenize` made of labelled examples.

        Returns:
            dict of str to float.
        """
        return self.task.evaluate(model, tokenized)

    def score(self, model, tokenized):
        """The metrics for a report.

        Args:
            model: KerasHub task.
            tokenized: What `tokenize` made of labelled examples.

        Returns:
            dict of str to float; for tags `"languages"` as well, a dict of
            language to such a dict.
        """
        return self.measure(model, tokenized)

    def chance(self):
        """The selection metric of a model that knows nothing of the text."""
        return tasks.chance_level(self.task, self.dev.labels)

    def unlabelled(self, rows):
        """Texts as examples of the task.

        Args:
            rows: `keras_distill.tasks.Examples` without labels.

        Returns:
            Examples that `tokenize` takes.
        """
        return rows

    def emptied(self):
        """The same task without its examples, which may be many.

        Returns:
            `LabelledTask`.
        """
        emptied = copy.copy(self)
        emptied.train, emptied.dev = self.train.take(0), self.dev.take(0)
        emptied.further = {}
        return emptied

    def label_balance(self, text, num_columns):
        """How the texts that are looked for are divided among the classes.

        Args:
            text: str, `"equal"`, `"examples"` or `<class>=<share>` of each
                class by commas; or `None` for the default.
            num_columns: int. As for `queries`.

        Returns:
            What `keras_distill.tasks.retrieval.retrieve` takes.

        Raises:
            ValueError: If the queries have no classes, or it does not name
                each of them once.
        """
        if text is None:
            return "equal"
        names = self._query_classes(num_columns)
        if names is None:
            raise ValueError(
                "--retrieve-balance needs examples with one class each, in as "
                "many columns as the unlabelled texts have. Received: "
                f"{text!r} for {self.task.name} and {num_columns} columns"
            )
        if text in ("equal", "examples"):
            return text
        parts = [part.partition("=") for part in text.split(",")]
        shares = {name.strip(): share for name, _, share in parts}
        try:
            if len(shares) < len(parts) or set(shares) != set(names):
                raise ValueError
            numbers = [float(shares[name]) for name in names]
            if not all(0 <= number < np.inf for number in numbers):
                raise ValueError
            if not any(numbers):
                raise ValueError
            return numbers
        except ValueError:
            raise ValueError(
                "--retrieve-balance must be equal, examples or a share of "
                "each class, none negative and not all 0, such as "
                f"{','.join(f'{name}=1' for name in names)}. "
                f"Received: {text!r}"
            ) from None

    def queries(self, num_columns):
        """The task's texts, to look for such as are like them.

        Args:
            num_columns: int. 1, which makes two texts of each pair, or 2.

        Returns:
            Two `keras_distill.tasks.Examples`: of the training and of the dev
            split.
        """
        return tuple(
            _in_columns(examples, num_columns)
            for examples in (self.train, self.dev)
        )

    def _query_classes(self, num_columns):
        """The names of the classes that `queries` have, or `None`."""
        is_as_it_is = len(self.task.text_columns) == num_columns
        return self.task.label_names if is_as_it_is else None


class TaggingTask(LabelledTask):
    """A task over words, in one or many languages."""

    task_class = models.TokenClassifier

    def __init__(self, task, splits):
        super().__init__(task, splits)
        # Where seqeval is missing, that is said now and not after training.
        first = self.dev.labels[:1]
        tasks.evaluate_tags(task, first, first)

    def tokenize(self, examples, preprocessor, length):
        return tasks.TokenizedTags(examples, preprocessor, length)

    def label_loss(self):
        return keras.losses.SparseCategoricalCrossentropy(from_logits=True)

    def measure(self, model, tokenized):
        scores = self.measure_languages(model, tokenized)
        return {k: v for k, v in scores.items() if k != "languages"}

    def measure_languages(self, model, tokenized):
        """The metrics, with those of each language under `"languages"`."""
        return tasks.evaluate_tags(
            self.task,
            tokenized.labels,
            tasks.predict_tags(model, tokenized, batch_size=64),
            tokenized.languages,
        )

    def score(self, model, tokenized):
        return self.measure_languages(model, tokenized)

    def chance(self):
        return 0.0

    def unlabelled(self, rows):
        return tasks.TaggedExamples([text.split() for text in rows.texts[0]])

    def queries(self, num_columns):
        return tuple(
            tasks.Examples(([" ".join(words) for words in examples.words],))
            for examples in (self.train, self.dev)
        )

    def _query_classes(self, num_columns):
        return None


def _is_tagging(name):
    return ":" in name


def _folder(name, data_dir, glue_dir):
    if name in tasks.GLUE_TASKS:
        return data_dir if glue_dir is None else glue_dir
    return data_dir if name in tasks.FOLDER_TASKS else None


def _tag_folder(data_dir, name):
    below = local_path(data_dir) / "ner" / name
    return below if below.is_dir() else local_path(data_dir) / name


def _tags_of(folders, **of_files):
    """WikiAnn's tags, in their order, unless the files have others."""
    found = tasks.find_tags(folders, **of_files)
    known = tasks.WIKIANN_TAGS
    return known if set(found) <= set(known) else found


def _in_columns(examples, num_columns):
    if len(examples.texts) == num_columns:
        return examples
    texts = dict.fromkeys(text for column in examples.texts for text in column)
    return tasks.Examples((list(texts),))
