"""Writes a MobileBERT as a folder that `transformers` reads."""

import json

import keras_hub
import safetensors.numpy

from keras_distill.checks.model_of import model_of
from keras_distill.export.as_transformers import config_of
from keras_distill.export.as_transformers import weights_of
from keras_distill.export.new_folder import FolderFormat
from keras_distill.export.new_folder import new_folder
from keras_distill.export.preset import plain_names
from keras_distill.io.saving import local_path

_VOCABULARY = "vocab.txt"
_TOKENIZER = "tokenizer_config.json"
_FOLDER = FolderFormat(
    name="Hugging Face folder",
    first="config.json",
    parts=(
        "config.json",
        "model.safetensors",
        "model.safetensors.index.json",
        "model-*.safetensors",
        "tokenizer.json",
        "special_tokens_map.json",
        "added_tokens.json",
        _TOKENIZER,
        _VOCABULARY,
    ),
)


def to_hugging_face(model, path, label_names=None, overwrite=False):
    """Writes a MobileBERT as a folder that `transformers` reads.

    `transformers` computes what the model does: hidden states, and the logits
    of its head. So does `keras_distill.teachers.load_teacher(path, ...)`. With
    a preprocessor, its vocabulary and how it spells are written as well.

    Weights are written in float32. Where padding has zeros in place of a word
    vector (`zero_pad_embedding`), its row of the table is written as zeros,
    by which `transformers` does the same; what a masked language model says of
    the padding itself, which is never predicted, is then another number.

    Args:
        model: `keras_distill.models.MobileBertTextClassifier`,
            `TokenClassifier`, `MaskedLanguageModel` or `PretrainingModel` on a
            `MobileBertBackbone`, or that alone.
        path: Path of the folder to write. `~` is your home, and a link is
            followed.
        label_names: Optional sequence of str by class index.
        overwrite: bool. Whether to write to a folder that holds what this
            function did not write. Defaults to `False`.

    Returns:
        `pathlib.Path` of the folder.

    Raises:
        ValueError: If `transformers` cannot compute the model, its tokenizer
            is no WordPiece, `label_names` does not name every class, or the
            folder holds what may not be replaced.
        OSError: If the disk is full or cannot be written. What was there
            stays.

    Example:

    ```python
    from keras_distill import export
    from keras_distill import models

    classifier = models.MobileBertTextClassifier.from_preset(
        "mobilebert_tiny", load_weights=False, num_classes=2
    )
    export.to_hugging_face(classifier, "mobilebert", ["bad", "good"])
    ```
    """
    model = model_of(model)
    config = config_of(model)
    if label_names is not None:
        if not hasattr(model, "num_classes"):
            raise ValueError(
                "`label_names` is for classifiers. Received: "
                f"{type(model).__name__}"
            )
        label_names = plain_names(label_names, model.num_classes)
    elif hasattr(model, "num_classes"):
        # `transformers` tells by them how many there are.
        label_names = [f"LABEL_{i}" for i in range(model.num_classes)]
    if label_names is not None:
        config["id2label"] = dict(enumerate(label_names))
        config["label2id"] = {name: i for i, name in enumerate(label_names)}
    tokenizer = getattr(getattr(model, "preprocessor", None), "tokenizer", None)
    if tokenizer is not None:
        _check_tokenizer(tokenizer)
    path = local_path(path)
    with new_folder(path, _FOLDER, overwrite) as folder:
        safetensors.numpy.save_file(
            weights_of(model),
            folder / "model.safetensors",
            metadata={"format": "pt"},
        )
        if tokenizer is not None:
            _write_tokenizer(folder, tokenizer)
        _write_json(folder / "config.json", config)
    return path


def _check_tokenizer(tokenizer):
    if not isinstance(tokenizer, keras_hub.models.BertTokenizer):
        raise ValueError(
            "`model` must have a WordPiece tokenizer. Received: "
            f"{type(tokenizer).__name__}. Take its preprocessor off, and put "
            "the files of its tokenizer into the folder."
        )


def _write_tokenizer(folder, tokenizer):
    words = "".join(f"{word}\n" for word in tokenizer.get_vocabulary())
    (folder / _VOCABULARY).write_text(words, encoding="utf-8")
    options = {
        "tokenizer_class": "MobileBertTokenizer",
        "do_lower_case": bool(tokenizer.lowercase),
        "strip_accents": bool(tokenizer.strip_accents),
        "tokenize_chinese_chars": bool(tokenizer.split_on_cjk),
    }
    _write_json(folder / _TOKENIZER, options)


def _write_json(file, content):
    text = json.dumps(content, indent=2, ensure_ascii=False)
    # Half a character, as damaged texts have, is read back as it is.
    file.write_text(text, "utf-8", "surrogatepass")
