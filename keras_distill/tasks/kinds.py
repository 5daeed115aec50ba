"""The kinds of tasks by name: each is one class, in one file."""

KINDS = {}


def register_kind(cls):
    """Makes a kind of task known by its name, as a decorator does.

    What is read from JSON, and what a report calls a metric, is looked up
    here. Importing the file of a kind is what registers it.

    Args:
        cls: subclass of `keras_distill.tasks.Task` with a `kind` of its own.

    Returns:
        The same class.

    Raises:
        ValueError: no name, or one that another class has.
    """
    kind = cls.__dict__.get("kind")
    if not isinstance(kind, str) or not kind:
        raise ValueError(
            f"`cls` must have a `kind`, its name. Received: {cls.__name__} "
            f"with kind={kind!r}."
        )
    known = KINDS.get(kind)
    # A module that is loaded again has its classes anew.
    if known is not None and known.__qualname__ != cls.__qualname__:
        raise ValueError(
            f"`cls` must have a `kind` of its own. Received: {cls.__name__} "
            f"with kind={kind!r}, which {known.__name__} has."
        )
    KINDS[kind] = cls
    return cls


def kind_named(kind):
    """The class of a kind, by its name."""
    if kind not in KINDS:
        raise ValueError(
            f"`kind` must be one of {', '.join(KINDS)}. Received: {kind!r}; "
            "another is made known by `keras_distill.tasks.register_kind`."
        )
    return KINDS[kind]


def all_metrics():
    """The metrics of all kinds: a dict of name to `Metric`."""
    found = {}
    for cls in KINDS.values():
        found = {**cls.METRICS, **found}
    return found
