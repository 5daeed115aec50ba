"""Reads GLUE from TensorFlow Datasets."""

import functools

import numpy as np

from keras_distill.data.examples import Examples
from keras_distill.data.splits import Splits

_SPLITS = {"train": "train", "dev": "validation", "test": "test"}
_MNLI_SPLITS = {
    "train": "train",
    "dev_matched": "validation_matched",
    "dev_mismatched": "validation_mismatched",
    "test_matched": "test_matched",
    "test_mismatched": "test_mismatched",
}
_AX_SPLITS = {"test": "test"}

# The label that TFDS gives to the rows of an unlabelled split.
_NO_LABEL = -1

_READ_BATCH = 1024


def open_tfds(task, data_dir=None):
    """Opens one GLUE task in TensorFlow Datasets.

    The task is downloaded and prepared when the first split is read, unless
    it already is.

    Args:
        task: `Task`. A task of `glue.GLUE_TASKS`.
        data_dir: string or path. Where TensorFlow Datasets keeps its files.
            Defaults to `None`, its own default.

    Returns:
        `Splits`.
    """
    names = {"mnli": _MNLI_SPLITS, "ax": _AX_SPLITS}.get(task.name, _SPLITS)
    prepare = functools.cache(functools.partial(_prepare, task, data_dir))
    readers = {
        split: functools.partial(_read_split, task, prepare, tfds_split)
        for split, tfds_split in names.items()
    }
    return Splits(readers, f"TensorFlow Datasets' glue/{task.name}")


def _prepare(task, data_dir):
    """The builder of a task, downloaded and prepared."""
    # Slow to import, and not needed by who reads files.
    import tensorflow_datasets as tfds

    builder = tfds.builder(f"glue/{task.name}", data_dir=data_dir)
    try:
        builder.download_and_prepare()
    except (OSError, tfds.download.DownloadError) as error:
        raise ValueError(
            f"TensorFlow Datasets could not prepare glue/{task.name} in "
            f"{builder.data_dir} ({type(error).__name__}: {error}); check the "
            "network and the disk, or give `data_dir`, a folder of GLUE's "
            "TSV files."
        ) from error
    if task.label_names is not None:
        names = tuple(builder.info.features["label"].names)
        if names != task.label_names:
            raise ValueError(
                f"TensorFlow Datasets' glue/{task.name} has the labels "
                f"{names}, not {task.label_names}; use the version of "
                "tensorflow-datasets that setup.cfg asks for."
            )
    return builder


def _read_split(task, prepare, split):
    """Reads one split into `Examples`, in the order of the original file."""
    batches = prepare().as_dataset(split=split, batch_size=_READ_BATCH)
    rows = {name: [] for name in (*task.text_columns, "label", "idx")}
    for batch in batches.as_numpy_iterator():
        for name, values in rows.items():
            values.append(batch[name])
    columns = {name: np.concatenate(values) for name, values in rows.items()}
    # TFDS stores rows shuffled; `idx` is the row's number in GLUE's file.
    order = np.argsort(columns["idx"], kind="stable")
    labels = columns["label"][order]
    return Examples(
        texts=tuple(
            [text.decode("utf-8") for text in columns[name][order]]
            for name in task.text_columns
        ),
        labels=None if np.all(labels == _NO_LABEL) else labels,
        ids=columns["idx"][order],
    )
