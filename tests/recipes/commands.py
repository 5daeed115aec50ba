"""Command lines whose options the tests change."""


def command_line(settings):
    """A function that makes a command line of settings.

    Args:
        settings: dict of the name of an option to its value; those of `None`
            are left out.

    Returns:
        Function of the run's folder, and of other settings by name, that
        gives a list of str.
    """

    def build(run_dir, **changes):
        options = {**settings, "run_dir": run_dir, **changes}
        return [
            str(word)
            for name, value in options.items()
            if value is not None
            for word in (f"--{name.replace('_', '-')}", value)
        ]

    return build


def changed(arguments, *change):
    """A command line with some options changed or added.

    Args:
        arguments: list of str. Options, each with its value, or switches.
        *change: str. The same.

    Returns:
        list of str, in which each option stands once.
    """
    options = {**_read(arguments), **_read(change)}
    return [
        word for name, values in options.items() for word in (name, *values)
    ]


def without(arguments, name):
    """A command line without one of its options.

    Args:
        arguments: list of str.
        name: str. The option.

    Returns:
        list of str.
    """
    options = _read(arguments)
    del options[name]
    return [word for key, values in options.items() for word in (key, *values)]


def _read(words):
    options, name = {}, None
    for word in words:
        if word.startswith("--"):
            name = word
            options[name] = []
        else:
            options[name].append(word)
    return options
