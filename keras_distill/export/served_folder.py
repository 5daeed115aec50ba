"""Writes served models as one SavedModel: graphs, weights, assets, warm-up."""

import dataclasses
import errno
import pathlib
import tempfile

import tensorflow as tf

from keras_distill.export.interface import Interface
from keras_distill.export.new_folder import FolderFormat
from keras_distill.export.new_folder import new_folder
from keras_distill.export.warm_up import MAX_REQUESTS
from keras_distill.export.warm_up import WARM_UP_FILE
from keras_distill.export.warm_up import write_warm_up_requests
from keras_distill.serving.served_model import ServedModel

_SAVED_MODEL = FolderFormat(
    name="SavedModel",
    first="saved_model.pb",
    parts=(
        "saved_model.pb",
        "fingerprint.pb",
        "keras_metadata.pb",
        "variables/variables.*",
        WARM_UP_FILE,
    ),
)
# What the signatures of a served model take: texts, or what the model does.
SERVING_DEFAULT = "serving_default"
TOKEN_IDS = "token_ids"
# Short, long and empty ones, so that a real request finds its path warm.
_WARM_UP_TEXTS = (
    "A few words.",
    "This text goes on for longer than most requests do. " * 20,
    "",
)


@dataclasses.dataclass(frozen=True)
class Served:
    """A served model, what it takes and gives, and what warms it up.

    Args:
        model: `keras_distill.serving.ServedModel`.
        interface: `Interface`.
        warm_up_columns: tuple of lists of strings, one for each text column.
    """

    model: ServedModel
    interface: Interface
    warm_up_columns: tuple

    @classmethod
    def of(cls, classifier, interface, warm_up_texts, num_signatures):
        """A classifier as it is served, in a folder of so many signatures."""
        columns = _warm_up_columns(warm_up_texts, interface, num_signatures)
        return cls(interface.served_model(classifier), interface, columns)

    def batches(self):
        """Each warm-up text alone and all in one batch, by column."""
        columns = self.warm_up_columns
        alone = [[[text] for text in row] for row in zip(*columns, strict=True)]
        return [*alone, columns]


def check_path(path, overwrite):
    """Raises for a folder that holds something and may not be overwritten."""
    if not overwrite and path.is_dir() and any(path.iterdir()):
        raise ValueError(
            f"`path` exists already: {path}. Choose another version number or "
            "pass overwrite=True."
        )


def write_served_folder(path, signatures, labels, overwrite):
    """Writes a SavedModel that appears when it is complete.

    Args:
        path: absolute `pathlib.Path` of the folder.
        signatures: dict of a signature's name to a pair: `Served`, and which
            of its signatures it is.
        labels: dict of file name to label names, or to `None`: no file.
        overwrite: bool.

    Returns:
        `path`.
    """
    try:
        with new_folder(path, _SAVED_MODEL, overwrite) as folder:
            _save(signatures, labels, folder)
            _save_warm_up(signatures, folder, path.parent.name)
    except tf.errors.ResourceExhaustedError as error:
        # How TensorFlow spells a full disk.
        raise OSError(
            errno.ENOSPC,
            "No space left for the SavedModel; what stood there is untouched",
            str(path),
        ) from error
    return path


def _save(signatures, labels, folder):
    """Saves signatures, weights and assets.

    What is saved is a bare module that holds the weights: optimizer, metrics
    and the random states of dropout, which hang on the Keras model, stay
    behind, and Keras is not needed to load it. What models share is saved
    once.
    """
    models = _different(served.model for served, _ in signatures.values())
    tokenizers = _different(
        model.classifier.preprocessor.tokenizer for model in models
    )
    module = tf.Module(name="student")
    module.weights = [
        weight.value
        for weight in _different(
            weight for model in models for weight in model.classifier.weights
        )
    ]
    module.tokenizer = _different(
        resource for model in models for resource in model.packer.resources
    )
    traced = {id(model): model.signatures() for model in models}
    with tempfile.TemporaryDirectory() as asset_dir:
        for number, tokenizer in enumerate(tokenizers):
            vocabulary = pathlib.Path(asset_dir, str(number))
            vocabulary.mkdir()
            tokenizer.save_assets(str(vocabulary))
        for name, label_names in labels.items():
            if label_names is not None:
                lines = "\n".join(label_names) + "\n"
                file = pathlib.Path(asset_dir, name)
                file.write_text(lines, encoding="utf-8")
        module.asset_files = [
            tf.saved_model.Asset(str(file))
            for file in sorted(pathlib.Path(asset_dir).rglob("*"))
            if file.is_file()
        ]
        functions = {
            name: traced[id(served.model)][which]
            for name, (served, which) in signatures.items()
        }
        tf.saved_model.save(module, str(folder), signatures=functions)


def _save_warm_up(signatures, folder, model_name):
    """Saves requests of all signatures, those of one text one by one."""
    requests = []
    for served in _different(served for served, _ in signatures.values()):
        names = [
            (name, which)
            for name, (other, which) in signatures.items()
            if other is served
        ]
        for batch in served.batches():
            texts = [tf.constant(column) for column in batch]
            columns = served.interface.text_columns
            inputs = {
                SERVING_DEFAULT: dict(zip(columns, texts, strict=True)),
                TOKEN_IDS: served.model.encode(*texts),
            }
            requests += [(name, inputs[which]) for name, which in names]
    path = folder / WARM_UP_FILE
    path.parent.mkdir()
    write_warm_up_requests(path, model_name, requests)


def _different(things):
    """Things in their order, each once."""
    return list({id(thing): thing for thing in things}.values())


def _warm_up_columns(warm_up_texts, interface, num_signatures):
    """Warm-up texts as a tuple of lists, one for each text column."""
    num_columns = len(interface.text_columns)
    if warm_up_texts is None:
        return (_WARM_UP_TEXTS,) * num_columns
    rows = [
        (texts,) if isinstance(texts, str) else tuple(texts)
        for texts in warm_up_texts
    ]
    if (
        isinstance(warm_up_texts, str)
        or not rows
        or any(len(row) != num_columns for row in rows)
    ):
        raise ValueError(
            "`warm_up_texts` must be a list of "
            + ("strings." if num_columns == 1 else "pairs of strings.")
            + f" Received: {warm_up_texts!r}."
        )
    # Each signature gets every text alone and all of them in one batch.
    most = MAX_REQUESTS // num_signatures - 1
    if len(rows) > most:
        raise ValueError(
            f"`warm_up_texts` may hold at most {most} entries, as TF Serving "
            f"replays {MAX_REQUESTS} requests at most. Received {len(rows)}."
        )
    return tuple(zip(*rows, strict=True))
