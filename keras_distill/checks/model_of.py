"""The model that is meant by an object that holds one."""


def model_of(thing):
    """The model that is meant, where another object of the library is given.

    Args:
        thing: Anything.

    Returns:
        The student of a `keras_distill.Distiller`, the classifier of a
        `keras_distill.teachers.LoadedTeacher`, and otherwise `thing` itself.
    """
    # By what they have: both stand on floors above.
    if hasattr(thing, "reached_variables"):
        return thing.student
    if hasattr(thing, "classifier") and hasattr(thing, "has_head"):
        return thing.classifier
    return thing
