"""A smaller model of the teacher's kind."""

import keras_hub

from keras_distill import layer_map as layer_maps
from keras_distill import models
from keras_distill.checks.arguments import check_choice
from keras_distill.checks.arguments import check_float
from keras_distill.checks.arguments import check_int
from keras_distill.checks.model_of import model_of
from keras_distill.students import backbones
from keras_distill.students.copy_layers import copy_layers
from keras_distill.students.factorize_embeddings import factorize_embeddings
from keras_distill.students.presets import PRESETS
from keras_distill.students.presets import StudentConfig

_STARTS = ("random", "teacher")
_SIZES = ("num_layers", "hidden_dim", "num_heads", "intermediate_dim")


def create_student(
    teacher,
    preset=None,
    *,
    num_layers=None,
    hidden_dim=None,
    num_heads=None,
    intermediate_dim=None,
    embedding_dim=None,
    dropout=None,
    embeddings="random",
    layers="random",
    layer_map=None,
    pooling=None,
    head=None,
    name=None,
    quiet=False,
):
    """Builds a student of the teacher's kind and another size.

    A classifier gives a classifier with the same classes, activation and
    preprocessor (the same object, so one tokenizer serves both); a backbone
    gives a backbone. Vocabulary, maximum sequence length, segments, activation
    and the epsilon of the layer normalizations are the teacher's. The student
    is trainable and has Keras's current dtype policy, whatever the teacher's
    are.

    With `embedding_dim`, a BERT's table of words is kept factorized, as a
    table of that width and a dense layer to the width of the hidden states:
    the student is a `keras_distill.models.FactorizedBertBackbone`, or a
    classifier above it.

    A MobileBERT gives a MobileBERT, as wide inside of its blocks as the
    teacher. `create_mobilebert_student` builds one of any other size, and of
    any BERT.

    Args:
        teacher: A KerasHub task or backbone whose backbone takes `num_layers`,
            `num_heads`, `hidden_dim` and `intermediate_dim` (BERT, RoBERTa,
            XLM-RoBERTa, DistilBERT, ELECTRA and others).
        preset: string. A size by name, one of `keras_distill.students.PRESETS`.
            Give either a preset or sizes. Defaults to `None`.
        num_layers: int. Number of transformer layers. Defaults to the
            teacher's.
        hidden_dim: int. Width of the hidden states, a multiple of `num_heads`.
            Defaults to the teacher's.
        num_heads: int. Attention heads per layer. Defaults to the teacher's.
        intermediate_dim: int. Width of the feed-forward layers. Defaults to
            the teacher's when the student is as wide as the teacher or a
            MobileBERT, else to `4 * hidden_dim`.
        embedding_dim: int. Width of the embedding tables where it is not the
            width of the hidden states: for a student of a BERT, whose words
            are then factorized, or of an ELECTRA or MobileBERT. Defaults to
            the width of the hidden states, or to the teacher's where that
            differs from its own.
        dropout: float. Dropout rate of the backbone and of the head, unless
            that has none (`head="tinybert"`). Defaults to the teacher's.
        embeddings: string. `"random"`, or `"teacher"` to start from the
            teacher's tables: copied when the student's are as wide, by
            truncated SVD (`factorize_embeddings`) when they are narrower or
            factorized; of a narrower MobileBERT its words alone. Defaults to
            `"random"`.
        layers: string. `"random"`, or `"teacher"` to start from the teacher's
            transformer layers and pooler (`copy_layers`); needs the teacher's
            widths and heads. Defaults to `"random"`.
        layer_map: Which teacher layers to copy, as in `copy_layers`; only
            with `layers="teacher"`. Defaults to
            `keras_distill.layer_map.uniform`.
        pooling: string. What the head of a BERT's student reads, `"pooler"`
            or `"mean"`, as in `keras_distill.models.BertTextClassifier`.
            Defaults to the teacher's.
        head: string. What its head makes of it, `"linear"` or `"tinybert"`.
            Defaults to the teacher's.
        name: string. The student's name. Defaults to Keras's choice.
        quiet: bool. Whether to print nothing; otherwise a truncated SVD says
            what it keeps. Defaults to `False`.

    Returns:
        A model of the teacher's class; with `embedding_dim` and a BERT, one of
        its factorized kind, and with another `pooling` or `head` than
        KerasHub's, a `keras_distill.models.BertTextClassifier`.

    Raises:
        ValueError: If the size is not given, given twice or impossible, an
            option is unknown, or the teacher cannot give what is asked.

    Example:

    ```python
    from keras_distill import students
    from keras_distill import teachers

    teacher = teachers.load_teacher("minilm", 2, sequence_length=64).classifier
    student = students.create_student(
        teacher, "bert_3l_132d", embeddings="teacher"
    )
    ```
    """
    sizes = dict(
        num_layers=num_layers,
        hidden_dim=hidden_dim,
        num_heads=num_heads,
        intermediate_dim=intermediate_dim,
    )
    teacher = model_of(teacher)
    teacher_backbone = backbones.backbone_of(teacher, "teacher")
    _check_teacher(teacher_backbone)
    _check_starts(embeddings, layers, layer_map)
    check_int("embedding_dim", embedding_dim, minimum=1, optional=True)
    check_float("dropout", dropout, minimum=0, below=1, optional=True)
    size = _resolve_size(teacher_backbone, preset, sizes, embedding_dim)
    chosen = _chosen_head(teacher, pooling, head)
    if teacher is teacher_backbone:
        student = _build_backbone(teacher, size, embedding_dim, dropout, name)
    else:
        backbone = _build_backbone(
            teacher_backbone, size, embedding_dim, dropout
        )
        student = _build_task(teacher, backbone, dropout, chosen, name)
    if layers == "teacher":
        copy_layers(teacher, student, layer_map or layer_maps.uniform)
    if embeddings == "teacher":
        _start_embeddings(teacher, student, quiet)
    return student


def _check_teacher(backbone):
    config = backbone.get_config()
    missing = [word for word in (*_SIZES, "dropout") if word not in config]
    if missing:
        raise ValueError(
            "`teacher` must be a BERT-like model. Received: "
            f"{type(backbone).__name__}, which takes no {', '.join(missing)}. "
            "Build the student by hand."
        )


def _check_starts(embeddings, layers, layer_map):
    for argument, value in (("embeddings", embeddings), ("layers", layers)):
        check_choice(argument, value, _STARTS)
    if layer_map is not None:
        layer_maps.check_layer_map(layer_map)
    if layer_map is not None and layers != "teacher":
        raise ValueError(
            "`layer_map` says which layers to copy, so it needs "
            f'layers="teacher". Received: layers={layers!r}'
        )


def _chosen_head(teacher, pooling, head):
    """What the head shall have other than the teacher's, by its name."""
    chosen = {}
    for argument, value, choices in (
        ("pooling", pooling, models.POOLINGS),
        ("head", head, models.HEADS),
    ):
        if value is None:
            continue
        check_choice(argument, value, choices)
        if not isinstance(teacher, keras_hub.models.BertTextClassifier):
            raise ValueError(
                f"`{argument}` is for students of a BERT text classifier. "
                f"Received: {argument}={value!r} and a teacher of type "
                f"{type(teacher).__name__}"
            )
        # The first is KerasHub's.
        if value != getattr(teacher, argument, choices[0]):
            chosen[argument] = value
    return chosen


def _resolve_size(teacher, preset, sizes, embedding_dim):
    """Returns the student's size from a preset, or from sizes and defaults."""
    given = {name: size for name, size in sizes.items() if size is not None}
    is_given = bool(given) or (preset is None and embedding_dim is not None)
    if (preset is None) != is_given:
        raise ValueError(
            "Give either `preset` or at least one of "
            f"{', '.join(f'`{name}`' for name in _SIZES)}. "
            f"Received: preset={preset!r}, sizes={given}. "
            f"Presets: {', '.join(PRESETS)}."
        )
    if preset is not None:
        check_choice("preset", preset, tuple(PRESETS))
        return PRESETS[preset]

    size = {name: teacher.get_config()[name] for name in _SIZES} | given
    # A MobileBERT's has to do with the width inside of its blocks.
    if "intermediate_dim" not in given and not hasattr(teacher, "intra_dim"):
        if size["hidden_dim"] != teacher.hidden_dim:
            size["intermediate_dim"] = 4 * size["hidden_dim"]
    return StudentConfig(**size, source="own size")


def _build_backbone(teacher, size, embedding_dim, dropout, name=None):
    config = teacher.get_config()
    # A frozen, quantized or half-precision teacher has a trainable student.
    for word in ("name", "trainable", "dtype"):
        del config[word]
    config.pop("embeddings_trainable", None)
    # ELECTRA: tables as wide as the layers stay so, others keep their width.
    if config.get("embedding_dim") == config["hidden_dim"]:
        config["embedding_dim"] = size.hidden_dim
    config.update({word: getattr(size, word) for word in _SIZES})
    if dropout is not None:
        config["dropout"] = dropout
    backbone_class = type(teacher)
    if embedding_dim is not None:
        if issubclass(backbone_class, keras_hub.models.BertBackbone):
            backbone_class = models.FactorizedBertBackbone
        elif "embedding_dim" not in config:
            raise ValueError(
                "`embedding_dim` is for students of a BERT or of a model that "
                f"takes it, such as ELECTRA. Received: a teacher of type "
                f"{backbone_class.__name__} and embedding_dim={embedding_dim}"
            )
        config["embedding_dim"] = embedding_dim
    return backbone_class(**config, name=name)


def _build_task(teacher, backbone, dropout, chosen, name):
    config = teacher.get_config()
    config.update(
        backbone=backbone, preprocessor=teacher.preprocessor, name=name
    )
    # RoBERTa's and DistilBERT's heads have a hidden layer, as wide as the
    # backbone unless asked for otherwise.
    if config.get("hidden_dim") == teacher.backbone.hidden_dim:
        config["hidden_dim"] = backbone.hidden_dim
    if dropout is not None and "dropout" in config:
        config["dropout"] = dropout
    config |= chosen
    is_other = "head" in chosen and dropout is None
    if is_other or config.get("head") == models.TINYBERT:
        # One head has none, the other its own.
        del config["dropout"]
    task_class = type(teacher)
    # KerasHub finds a saved task by the class of its backbone.
    if issubclass(task_class, keras_hub.models.BertTextClassifier):
        if type(backbone) is models.FactorizedBertBackbone:
            task_class = models.FactorizedBertTextClassifier
        elif chosen and not issubclass(task_class, models.BertHead):
            task_class = models.BertTextClassifier
    return task_class(**config)


def _start_embeddings(teacher, student, quiet):
    source, target = (
        backbones.backbone_of(model, "model") for model in (teacher, student)
    )
    widths = backbones.embedding_widths(source)
    is_factorized = [
        backbones.word_projection(backbone) is not None
        for backbone in (source, target)
    ]
    if widths == backbones.embedding_widths(target) and (
        is_factorized[0] == is_factorized[1]
    ):
        copy_layers(teacher, student, [(0, 0)], include_pooler=False)
    else:
        # A MobileBERT's positions are as wide as its states.
        is_sum = len(set(widths.values())) == 1
        factorize_embeddings(
            teacher, student, include_positions=is_sum, quiet=quiet
        )
