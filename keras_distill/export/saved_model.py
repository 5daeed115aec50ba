"""A distilled student as a SavedModel that takes raw text."""

from keras_distill.checks.model_of import model_of
from keras_distill.export.interface import Interface
from keras_distill.export.served_folder import SERVING_DEFAULT
from keras_distill.export.served_folder import TOKEN_IDS
from keras_distill.export.served_folder import Served
from keras_distill.export.served_folder import check_path
from keras_distill.export.served_folder import write_served_folder
from keras_distill.io.saving import local_path
from keras_distill.tasks import get_task

LABELS_FILENAME = "labels.txt"


def to_saved_model(
    classifier,
    path,
    *,
    task=None,
    label_names=None,
    text_columns=None,
    sequence_length=None,
    multi_label=None,
    warm_up_texts=None,
    overwrite=False,
):
    """Exports a classifier with its tokenizer, ready for TF Serving.

    The SavedModel answers two signatures:

    - `serving_default` takes texts: one string tensor of shape `(batch,)` for
      each text column, under the column's name.
    - `token_ids` takes what the model itself takes, for BERT `token_ids`,
      `segment_ids` and `padding_mask`, int32 of shape `(batch, length)`, of
      any length up to the model's maximum.

    Both give `label` (string, the most probable class), `label_id` (int32, its
    index in `assets/labels.txt` and in `probabilities`) and `probabilities`
    (float32, `(batch, classes)`, which add up to 1).

    Where labels do not exclude each other (`multi_label`), each has a
    probability of its own: both signatures give `probabilities` (float32,
    `(batch, labels)`, the sigmoid of each logit) and `labels` (string,
    `(batch, labels)`: the name of each label of at least 0.5, `""` for the
    others). So does a single output with a name, such as `["toxic"]`. A
    single output without one is a regression: both give `score` (float32,
    `(batch,)`).

    `token_ids` gives the raw `logits` as well, unless the classifier ends in
    an activation, whose probabilities are given as they are.

    A token classifier takes texts of words with spaces between them, and
    gives, for each text, its `words`, `tags` (string), `tag_ids` (int32) and
    `probabilities` (float32, `(batch, words, classes)`). Beyond the last word
    of a text, and at words that were truncated, there is no tag: `""`, `-1`
    and zeros. `token_ids` gives `tag_ids`, `probabilities` and `logits` of
    every token.

    A request is padded to its own longest text, and texts are truncated to
    `sequence_length`. An empty text is classified as a row of special tokens
    alone; an empty batch gives empty outputs. Only the weights that inference
    needs are exported.

    The folder appears when it is complete: if anything fails on the way, an
    earlier export at `path` is untouched. Files in it that belong to no
    SavedModel stay, with `overwrite` as well.

    Args:
        classifier: a `keras_hub.models.TextClassifier`, such as a
            `BertTextClassifier`, or a `keras_distill.models.TokenClassifier`,
            with a preprocessor, that returns logits or, by softmax or
            sigmoid, probabilities. Of a distiller pass the `student`.
        path: string or path. The folder to write. TF Serving expects a number,
            the version, as its last part: `"serving/1"`. `~` is your home, and
            a link is followed.
        task: optional `keras_distill.tasks.Task`, or its name. Where
            `label_names` and `text_columns` come from when they are not
            given, and what the answers are.
        label_names: optional sequence of strings in the order of the outputs.
            Needed (here or by `task`) unless the classifier is a regression
            of one output.
        text_columns: optional sequence of one or two strings. Names of the
            text inputs. Defaults to `("text",)`.
        sequence_length: optional int. Longest row, special tokens included.
            Defaults to the preprocessor's, the length of the training.
        multi_label: optional bool. Whether each label has a probability of
            its own, as after training on binary cross-entropy or by
            `LogitsDistillation(multi_label=True)`. Defaults to what the task
            is; without a task to whether `classifier` ends in a sigmoid or
            is itself compiled with a binary cross-entropy.
        warm_up_texts: optional sequence of strings, or of pairs of strings
            for two text columns. TF Serving sends them when it loads the
            model; texts like those of real requests warm it best. Defaults to
            three English ones.
        overwrite: bool. Whether to replace an earlier export at `path`.
            Defaults to `False`.

    Returns:
        `pathlib.Path` of the folder.

    Raises:
        ValueError: an argument does not fit the classifier, `path` is a file,
            or a folder that holds something and may not be overwritten.
        OSError: the disk is full or cannot be written.

    Example:

    ```python
    import keras_hub
    import tensorflow as tf
    import keras_distill

    tokenizer = keras_hub.models.BertTokenizer(
        vocabulary="[PAD] [UNK] [CLS] [SEP] [MASK] a fine dull film".split(),
        lowercase=True,
    )
    student = keras_hub.models.BertTextClassifier(
        keras_hub.models.BertBackbone(
            vocabulary_size=tokenizer.vocabulary_size(),
            num_layers=2,
            num_heads=2,
            hidden_dim=16,
            intermediate_dim=32,
            max_sequence_length=64,
        ),
        num_classes=2,
        preprocessor=keras_hub.models.BertTextClassifierPreprocessor(
            tokenizer, sequence_length=64
        ),
    )
    keras_distill.export.to_saved_model(
        student, "serving/1", label_names=["negative", "positive"]
    )
    served = tf.saved_model.load("serving/1")
    served.signatures["serving_default"](text=tf.constant(["A fine film."]))
    ```
    """
    path = local_path(path).absolute()
    classifier = model_of(classifier)
    if isinstance(task, str):
        task = get_task(task)
    interface = Interface.of(
        classifier,
        task,
        label_names,
        text_columns,
        sequence_length,
        multi_label,
    )
    served = Served.of(classifier, interface, warm_up_texts, num_signatures=2)
    check_path(path, overwrite)
    signatures = {
        SERVING_DEFAULT: (served, SERVING_DEFAULT),
        TOKEN_IDS: (served, TOKEN_IDS),
    }
    labels = {LABELS_FILENAME: interface.label_names}
    return write_served_folder(path, signatures, labels, overwrite)
