"""The head of a folder that `transformers` wrote."""

import keras_hub

from keras_distill.models.hugging_face.assign import assign
from keras_distill.models.hugging_face.assign import dense_weights

TEXT = "SequenceClassification"
TOKEN = "TokenClassification"


def head_kind(checkpoint):
    """What a checkpoint was fine-tuned for.

    Args:
        checkpoint: `Checkpoint`.

    Returns:
        str, such as `"SequenceClassification"`, or `None` for an encoder
        alone or one with a head of its pretraining.

    Raises:
        ValueError: If it has a head, but its config does not say which.
    """
    architecture = checkpoint.architecture
    if architecture is None and "classifier.weight" in checkpoint:
        raise ValueError(
            f"{checkpoint.folder} holds a head, but its config.json does not "
            'say which: `architectures` is missing. Write "architectures": '
            '["BertForSequenceClassification"] or whichever it is into it.'
        )
    _, _, kind = (architecture or "").partition("For")
    return None if kind in ("", "PreTraining", "MaskedLM") else kind


def num_labels(checkpoint):
    """The outputs of a checkpoint's text or token classification head."""
    return len(checkpoint.read(f"{_output_name(checkpoint)}.bias"))


def load_head(task, checkpoint):
    """Gives a task the head of a checkpoint of the same kind.

    Args:
        task: Text or token classifier with the checkpoint's encoder.
        checkpoint: `Checkpoint`.

    Raises:
        ValueError: If a weight of the head is missing or of another shape.
    """
    weights = list(dense_weights(task.output_dense, _output_name(checkpoint)))
    hidden = _hidden_name(checkpoint)
    if hidden and isinstance(task, keras_hub.models.TextClassifier):
        weights += dense_weights(task.pooled_dense, hidden)
    for name, variable in weights:
        assign(variable, checkpoint.read(name), name, checkpoint.folder)


def _hidden_name(checkpoint):
    """The dense layer below the output that RoBERTa and DistilBERT have."""
    return {
        "roberta": "classifier.dense",
        "xlm-roberta": "classifier.dense",
        "distilbert": "pre_classifier",
    }.get(checkpoint.config["model_type"])


def _output_name(checkpoint):
    is_roberta = _hidden_name(checkpoint) == "classifier.dense"
    if is_roberta and head_kind(checkpoint) == TEXT:
        return "classifier.out_proj"
    return "classifier"
