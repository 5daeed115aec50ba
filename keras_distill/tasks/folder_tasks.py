"""Tasks outside of GLUE that are read from a folder.

Natural language inference to learn from, BoolQ, and SQuAD's questions as a
ranking of sentences. The three inference sets have their label names in one
order, that of MNLI, so that they can be joined.
"""

from keras_distill.data.readers.reading import Reading
from keras_distill.data.readers.tsv import listing
from keras_distill.io.saving import local_path
from keras_distill.tasks.classification import ClassificationTask
from keras_distill.tasks.glue import GLUE_TASKS
from keras_distill.tasks.labelled_folder import open_labelled_folder
from keras_distill.tasks.squad_ranking import QNLI_RANKING
from keras_distill.tasks.squad_ranking import load_squad_ranking

_NLI = GLUE_TASKS["mnli"]


def _nli(name):
    return ClassificationTask(
        name=name,
        text_columns=("premise", "hypothesis"),
        label_names=_NLI.label_names,
        metrics=_NLI.metrics,
        sequence_length=_NLI.sequence_length,
    )


FOLDER_TASKS = {
    task.name: task
    for task in (
        # https://github.com/Alicia-Parrish/ling_in_loop: crowd-written
        # hypotheses to premises of MNLI.
        _nli("litl"),
        # https://github.com/nyu-mll/semi-automatic-nli: premises of Wikipedia.
        _nli("wiki_crowd_nli"),
        # https://github.com/acmi-lab/counterfactually-augmented-data: SNLI
        # with human revisions.
        _nli("cad_snli"),
        # Yes-no questions about a paragraph, of SuperGLUE.
        ClassificationTask(
            name="boolq",
            text_columns=("question", "passage"),
            label_names=("false", "true"),
            metrics=("accuracy",),
            # Passages are longer than GLUE's sentences.
            sequence_length=256,
        ),
        QNLI_RANKING,
    )
}

# Where a task lies below a folder of many, the own name first.
_FOLDERS = {
    "litl": ("litl", "nli/litl"),
    "wiki_crowd_nli": ("wiki_crowd_nli", "nli/wiki_crowd_nli"),
    "cad_snli": ("cad_snli", "nli/cad_snli"),
    "boolq": ("BoolQ", "superglue/BoolQ"),
    QNLI_RANKING.name: ("squad",),
}


def load_folder_task(name, data_dir, reading=None):
    """Opens one of `FOLDER_TASKS`.

    Args:
        name: string. One of `FOLDER_TASKS`.
        data_dir: string or path. The folder that holds `litl`,
            `wiki_crowd_nli`, `cad_snli`, `BoolQ` or `squad`, one above it
            that holds them in `nli` or `superglue`, or the task's own folder.
            Files are `train.jsonl`, `train.jsonl.gz`, `train.tsv` and so on;
            of SQuAD as `load_squad_ranking` takes them.
        reading: `Reading`. Defaults to `None`: as by default.

    Returns:
        A `Task` and a mapping of split name to `Examples`.

    Raises:
        ValueError: no such folder; bad data, with the file and the line.
    """
    task = FOLDER_TASKS[name]
    if data_dir is None:
        raise ValueError(
            f"The task {name} is read from a folder; give `data_dir`, the "
            f"folder that holds {_FOLDERS[name][0]}."
        )
    folder = _find(name, data_dir)
    open_folder = _OPENERS.get(name, open_labelled_folder)
    return task, open_folder(task, folder, reading=reading or Reading())


def _open_squad_ranking(task, folder, reading):
    del task
    _, splits = load_squad_ranking(
        folder, encoding=reading.encoding, skip_bad_rows=reading.skip_bad_rows
    )
    return splits


# What is no table of texts and labels.
_OPENERS = {QNLI_RANKING.name: _open_squad_ranking}


def _find(name, data_dir):
    data_dir = local_path(data_dir)
    own = _FOLDERS[name][0]
    if data_dir.resolve().name == own or not data_dir.is_dir():
        return data_dir
    for folder in _FOLDERS[name]:
        if (data_dir / folder).is_dir():
            return data_dir / folder
    raise ValueError(
        f"`data_dir` must hold the folder {own} or be it. "
        f"Received: {str(data_dir)!r}, which holds {listing(data_dir)}."
    )
