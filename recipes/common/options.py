"""A recipe's settings: a frozen dataclass whose fields explain themselves."""

import dataclasses
import types


def option(default, help, paper=None, choices=None):
    """A field of a recipe's `Config`.

    Args:
        default: What it is unless asked for otherwise.
        help: str. What it does.
        paper: Optional. The paper's value.
        choices: Optional sequence of what it may be.

    Returns:
        `dataclasses.Field`.
    """
    metadata = {"help": help, "paper": paper, "choices": choices}
    return dataclasses.field(default=default, metadata=metadata)


def add_options(parser, config_class, choices=None, without=()):
    """Adds one option to a parser for each field of a `Config`.

    Args:
        parser: `argparse.ArgumentParser`.
        config_class: Dataclass with fields made by `option`.
        choices: Optional dict of field name to what it may be, for what is
            not known where the field is.
        without: sequence of str. Fields that get no option.
    """
    for field in dataclasses.fields(config_class):
        if field.name not in without:
            _add_option(parser, field, (choices or {}).get(field.name))


def check_file_options(config, names):
    """Raises on options about files where there are none.

    Args:
        config: Dataclass with `skip_bad_rows` and `encoding`.
        names: sequence of str. The options that name files.

    Raises:
        ValueError: If one of these two is given, and no file is.
    """
    if any(getattr(config, name) is not None for name in names):
        return
    for name in ("skip_bad_rows", "encoding"):
        if getattr(config, name):
            flags = " or ".join("--" + n.replace("_", "-") for n in names)
            raise ValueError(
                f"--{name.replace('_', '-')} is about the files of {flags}. "
                f"Received: {getattr(config, name)!r} without any"
            )


def _add_option(parser, field, choices):
    text = field.metadata["help"]
    if field.type is not bool:
        text += f" (default: {_in_words(field.default)}"
        if field.metadata["paper"] is not None:
            text += f"; paper: {field.metadata['paper']}"
        text += ")"
    # A % would start a format of argparse.
    text = text.replace("%", "%%")
    flag = "--" + field.name.replace("_", "-")
    if field.type is bool:
        parser.add_argument(flag, action="store_true", help=text)
        return
    choices = choices or field.metadata["choices"]
    parser.add_argument(
        flag,
        type=_plain_type(field.type),
        default=field.default,
        choices=choices,
        metavar=None if choices else field.name.split("_")[-1].upper(),
        help=text,
    )


def _plain_type(annotation):
    """`int` of `int | None`."""
    if isinstance(annotation, types.UnionType):
        return annotation.__args__[0]
    return annotation


def _in_words(default):
    return "none" if default is None or default == "" else default
