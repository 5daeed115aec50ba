"""A recurrent student of a BERT-like teacher."""

import keras_hub

from keras_distill import models
from keras_distill.checks.arguments import check_bool
from keras_distill.checks.arguments import check_choice
from keras_distill.students import backbones
from keras_distill.students.factorize_embeddings import factorize_embeddings

_STARTS = ("random", "teacher")


def create_bilstm_student(
    teacher,
    *,
    embedding_dim=300,
    lstm_dim=600,
    include_projection=True,
    dropout=0.2,
    recurrent_dropout=0.2,
    pooling="mean",
    embeddings="random",
    name=None,
):
    """Builds XtremeDistil's recurrent student: embeddings and one BiLSTM.

    A text classifier gives a `keras_distill.models.BiLstmTextClassifier` with
    the same classes, activation and preprocessor; another task gives a task of
    its own class above the recurrent backbone, which has the outputs of a
    BERT's; a backbone gives a `keras_distill.models.BiLstmBackbone`.

    Args:
        teacher: A KerasHub task or backbone, BERT-like.
        embedding_dim: int. Width of the table of words. Defaults to `300`.
        lstm_dim: int. Width of the LSTM in each direction. Defaults to `600`.
        include_projection: bool. Whether a dense layer with GELU brings the
            states to the teacher's width. Defaults to `True`.
        dropout: float. Dropout rate of the LSTM's inputs. Defaults to `0.2`.
        recurrent_dropout: float. Dropout rate of the LSTM's recurrent states.
            Defaults to `0.2`.
        pooling: str. `"mean"` or `"first_token"`, as in `BiLstmBackbone`.
            Defaults to `"mean"`.
        embeddings: str. `"random"`, or `"teacher"` to start from the
            teacher's words by truncated SVD (`factorize_embeddings`).
            Defaults to `"random"`.
        name: str. The student's name. Defaults to Keras's choice.

    Returns:
        The student.

    Raises:
        ValueError: If an option is unknown, or `embedding_dim` is more than
            the teacher's width while the embeddings are to be the teacher's.

    Example:

    ```python
    import keras_hub
    from keras_distill import students

    teacher = keras_hub.models.BertBackbone(
        vocabulary_size=100, num_layers=4, num_heads=2, hidden_dim=16,
        intermediate_dim=32,
    )
    student = students.create_bilstm_student(
        teacher, embedding_dim=8, lstm_dim=4, embeddings="teacher"
    )
    assert student.hidden_dim == 16
    ```

    Reference:
        - XtremeDistil, Mukherjee and Awadallah 2020,
          https://arxiv.org/abs/2004.05686, from which the defaults are, but
          for the recurrent dropout, which is that of its code,
          https://github.com/MSR-LIT/XtremeDistil.
    """
    check_choice("embeddings", embeddings, _STARTS)
    check_bool("include_projection", include_projection)
    source = backbones.backbone_of(teacher, "teacher")
    is_task = teacher is not source
    backbone = models.BiLstmBackbone(
        vocabulary_size=backbones.embedding_layers(source)["words"].input_dim,
        embedding_dim=embedding_dim,
        lstm_dim=lstm_dim,
        projection_dim=source.hidden_dim if include_projection else None,
        dropout=dropout,
        recurrent_dropout=recurrent_dropout,
        pooling=pooling,
        max_sequence_length=getattr(source, "max_sequence_length", 512),
        name=None if is_task else name,
    )
    student = _build_task(teacher, backbone, name) if is_task else backbone
    if embeddings == "teacher":
        factorize_embeddings(teacher, student)
    return student


def _build_task(teacher, backbone, name):
    words = dict(backbone=backbone, preprocessor=teacher.preprocessor)
    if isinstance(teacher, keras_hub.models.TextClassifier):
        return models.BiLstmTextClassifier(
            num_classes=teacher.num_classes,
            activation=teacher.activation,
            name=name,
            **words,
        )
    return type(teacher)(**{**teacher.get_config(), **words, "name": name})
