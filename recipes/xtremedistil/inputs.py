"""What results depend on beside the settings: tasks, teachers and texts."""

from keras_distill import io
from keras_distill.stages.identity import data_identity
from keras_distill.stages.identity import model_identity
from recipes.xtremedistil.trainer import text_files


def of_task(labelled):
    """Tells the examples of a task from others, wherever they come from.

    Args:
        labelled: `LabelledTask`, with all its examples.

    Returns:
        dict of str to a dict of each split and to the names of classes.
    """
    return {
        "train": data_identity(labelled.train),
        "dev": data_identity(labelled.dev),
        **{
            name: data_identity(examples)
            for name, examples in labelled.further.items()
        },
        "label_names": labelled.task.label_names,
    }


def of_teacher(loaded):
    """Tells a teacher from others, and the encoder that students have too.

    Args:
        loaded: `keras_distill.teachers.LoadedTeacher`. A head of random
            numbers does not count.

    Returns:
        dict that JSON can hold: `"teacher"` and `"encoder"`, the latter
        without weights.
    """
    teacher = loaded.classifier
    tokenizer = teacher.preprocessor.tokenizer
    # It is fine-tuned, unless it has a head, and its students have its rates.
    encoder, whole = (
        model_identity(model, tokenizer, is_trained=True)
        for model in (teacher.backbone, teacher)
    )
    found = whole if loaded.has_head else encoder
    return {
        "teacher": found,
        "encoder": {k: v for k, v in encoder.items() if k != "weights"},
    }


def of_texts(config, hash_of):
    """Tells the unlabelled texts of a configuration from others.

    Args:
        config: `Config`.
        hash_of: function of the `pathlib.Path` of a file that gives a hash
            of its content.

    Returns:
        dict of the path that was given to a hash, empty without such texts.
    """
    if config.transfer is None:
        return {}
    files = text_files(config).files
    return {config.transfer: io.content_hash(*files, files=hash_of).hexdigest()}
