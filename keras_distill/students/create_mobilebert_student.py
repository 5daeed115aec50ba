"""A MobileBERT as the student of any BERT-like teacher."""

import keras_hub

from keras_distill import models
from keras_distill.checks.arguments import check_choice
from keras_distill.checks.model_of import model_of
from keras_distill.models.mobilebert.architectures import ARCHITECTURES
from keras_distill.models.on_any_encoder import OnAnyEncoder
from keras_distill.students import backbones
from keras_distill.students.factorize_embeddings import factorize_embeddings

_STARTS = ("random", "teacher")
# What the student has of its teacher, and nothing else fits.
_OF_TEACHER = ("vocabulary_size", "max_sequence_length", "num_segments")


def create_mobilebert_student(
    teacher,
    preset="mobilebert",
    *,
    embeddings="random",
    name=None,
    quiet=False,
    **sizes,
):
    """Builds a MobileBERT that learns from an ordinary BERT-like teacher.

    A text classifier gives a `keras_distill.models.MobileBertTextClassifier`
    with the same classes, activation, head and preprocessor; another task, such
    as `TokenClassifier` or `PretrainingModel`, gives a task of its own class
    above a MobileBERT; a backbone gives a
    `keras_distill.models.MobileBertBackbone`. Vocabulary, segments and maximum
    sequence length are the teacher's. The student is trainable and has Keras's
    current dtype policy.

    Its hidden states are as wide as the preset says, between blocks. Where
    that is not the teacher's width, losses learn a projection
    (`HiddenStatesDistillation`, `FeatureMapTransfer`). Give it the teacher's
    `num_heads` for `AttentionDistillation`; `RelationDistillation` leaves the
    heads free.

    Args:
        teacher: A KerasHub task or backbone that reads `token_ids`,
            `segment_ids` and `padding_mask`, as a BERT, ELECTRA or MobileBERT
            does.
        preset: str. An architecture by name, as
            `keras_distill.models.MobileBertBackbone` has them. Defaults to
            `"mobilebert"`.
        embeddings: str. `"random"`, or `"teacher"` to start from the teacher's
            words by truncated SVD to `embedding_dim`
            (`factorize_embeddings`). Defaults to `"random"`.
        name: str. The student's name. Defaults to Keras's choice.
        quiet: bool. Whether to print nothing; otherwise a truncated SVD says
            what it keeps. Defaults to `False`.
        **sizes: Arguments of `MobileBertBackbone` in place of the preset's:
            `num_layers`, `num_heads`, `embedding_dim`, `hidden_dim`,
            `intra_dim`, `intermediate_dim` and others.

    Returns:
        The student.

    Raises:
        ValueError: If the preset is unknown, the teacher reads other inputs,
            an argument is the teacher's to say, or `embedding_dim` is more
            than the teacher's width while the embeddings are to be the
            teacher's.

    Example:

    ```python
    import keras_hub
    from keras_distill import students

    teacher = keras_hub.models.BertBackbone(
        vocabulary_size=1000, num_layers=4, num_heads=2, hidden_dim=64,
        intermediate_dim=128,
    )
    student = students.create_mobilebert_student(
        teacher, num_layers=4, num_heads=2, hidden_dim=48, intra_dim=16,
        intermediate_dim=32, embedding_dim=16, embeddings="teacher",
    )
    assert student.vocabulary_size == 1000
    ```

    Reference:
        - MobileBERT, Sun et al. 2020, https://arxiv.org/abs/2004.02984.
    """
    check_choice("preset", preset, tuple(ARCHITECTURES))
    check_choice("embeddings", embeddings, _STARTS)
    teacher = model_of(teacher)
    source = backbones.backbone_of(teacher, "teacher")
    _check_inputs(source)
    _check_sizes(sizes)
    is_task = teacher is not source
    backbone = models.MobileBertBackbone.from_preset(
        preset,
        load_weights=False,
        vocabulary_size=backbones.embedding_layers(source)["words"].input_dim,
        max_sequence_length=source.max_sequence_length,
        num_segments=source.num_segments,
        name=None if is_task else name,
        **sizes,
    )
    student = _build_task(teacher, backbone, name) if is_task else backbone
    if embeddings == "teacher":
        # Its positions and segments are added to wider states.
        factorize_embeddings(
            teacher, student, include_positions=False, quiet=quiet
        )
    return student


def _check_inputs(teacher):
    inputs = set(teacher.input) if isinstance(teacher.input, dict) else set()
    if inputs != {"token_ids", "segment_ids", "padding_mask"}:
        raise ValueError(
            "`teacher` must read token_ids, segment_ids and padding_mask, as a "
            "MobileBERT does. Received: "
            f"{type(teacher).__name__}, which reads {', '.join(sorted(inputs))}"
            ". Use `create_student`, which builds a student of its own kind."
        )


def _check_sizes(sizes):
    for argument in _OF_TEACHER:
        if argument in sizes:
            raise ValueError(
                f"`{argument}` is the teacher's. Received: "
                f"{argument}={sizes[argument]}. Leave it out."
            )


def _build_task(teacher, backbone, name):
    words = dict(
        backbone=backbone, preprocessor=teacher.preprocessor, name=name
    )
    config = teacher.get_config()
    is_text = isinstance(teacher, keras_hub.models.TextClassifier)
    if is_text and not isinstance(teacher, OnAnyEncoder):
        return models.MobileBertTextClassifier(
            num_classes=teacher.num_classes,
            activation=teacher.activation,
            **{
                argument: config[argument]
                for argument in ("dropout", "pooling", "head")
                if argument in config
            },
            **words,
        )
    return type(teacher)(**{**config, **words})
