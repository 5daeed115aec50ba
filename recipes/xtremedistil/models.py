"""Teacher and student as they are before any stage."""

import keras

from keras_distill import students
from keras_distill import teachers
from recipes.common.models import check_fine_tuning
from recipes.common.student_size import parse_size


def load_teacher(config, labelled):
    """A teacher of a task, not yet fine-tuned.

    Args:
        config: `Config`.
        labelled: `LabelledTask`.

    Returns:
        `keras_distill.teachers.LoadedTeacher`.

    Raises:
        ValueError: If there is none, its head is another task's or needs no
            fine-tuning that was asked for, or it gives probabilities.
    """
    keras.utils.set_random_seed(config.seed)
    task = labelled.task
    loaded = teachers.load_teacher(
        config.teacher,
        task.num_outputs,
        config.sequence_length or task.sequence_length,
        labelled.task_class,
    )
    check_fine_tuning(config, loaded)
    task.check_teacher(loaded, repr(config.teacher))
    return loaded


def create_student(config, teacher):
    """The student of a configuration.

    Args:
        config: `Config`.
        teacher: KerasHub task.

    Returns:
        KerasHub task, and a str that says what it starts from.
    """
    size = parse_size(config.student)
    if config.embedding_dim is not None:
        size["embedding_dim"] = config.embedding_dim
    keras.utils.set_random_seed(config.seed)
    student = students.create_student(teacher, **size)
    start = _start_embeddings(config, teacher, student)
    if config.freeze_embeddings:
        train_words(student, False)
        start += ", the words frozen"
    return student, start


def train_words(model, is_trained):
    """Freezes the table of words of a model, or sets it free.

    No stage trains what is frozen, whatever it is told to train.

    Args:
        model: KerasHub task.
        is_trained: bool.
    """
    model.backbone.token_embedding.trainable = is_trained


def _start_embeddings(config, teacher, student):
    if config.embeddings == "random":
        return "The student starts at random"
    widths = {teacher.backbone.hidden_dim, student.backbone.hidden_dim}
    is_same = len(widths) == 1 and config.embedding_dim is None
    if is_same and config.embeddings == "teacher" and config.with_positions:
        students.copy_layers(teacher, student, [(0, 0)], include_pooler=False)
        return "The student starts from the teacher's embeddings as they are"
    kept = students.factorize_embeddings(
        teacher,
        student,
        center=config.embeddings == "centred",
        include_positions=config.with_positions,
        quiet=True,
    )
    return f"The student starts from the teacher's {kept}"
