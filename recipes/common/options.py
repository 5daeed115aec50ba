"""A recipe's settings: a frozen dataclass whose fields explain themselves.

What an option may be, and where it would do nothing, stands beside it. A
configuration that breaks it is refused when it is made, before anything is
read or trained.
"""

import argparse
import codecs
import dataclasses
import os
import types

from keras_distill.checks.arguments import Number
from keras_distill.checks.arguments import did_you_mean


def option(
    default,
    help,
    paper=None,
    choices=None,
    minimum=None,
    above=None,
    maximum=None,
    below=None,
    no_effect_with=(),
    later=False,
    noted=True,
):
    """A field of a recipe's `Config`.

    Args:
        default: What it is unless asked for otherwise.
        help: str. What it does.
        paper: Optional. The paper's value.
        choices: Optional sequence of what it may be.
        minimum: Optional number. The least that it may be.
        above: Optional number. What it must be more than.
        maximum: Optional number. The most that it may be.
        below: Optional number. What it must be less than.
        no_effect_with: dict of another field to its value, or a sequence of
            such dicts. Where all of one dict is so, this option would do
            nothing, and is refused unless it is as by default.
        later: bool. Whether there are runs from before there was this
            option: they are as it is by default. Defaults to `False`.
        noted: bool. Whether the folder of a run belongs to one value of it.
            Those that change nothing of what is trained may change in a
            run that is there. Defaults to `True`.

    Returns:
        `dataclasses.Field`.
    """
    if isinstance(no_effect_with, dict):
        no_effect_with = (no_effect_with,)
    metadata = {
        "help": help,
        "paper": paper,
        "choices": choices,
        "range": dict(
            minimum=minimum, above=above, maximum=maximum, below=below
        ),
        "no_effect_with": tuple(no_effect_with),
        "later": later,
        "noted": noted,
    }
    return dataclasses.field(default=default, metadata=metadata)


def like(group, name, **changes):
    """An option of another group with another default, help or paper's value.

    Args:
        group: Dataclass with the option.
        name: str. The option.
        **changes: Arguments of `option`.

    Returns:
        `dataclasses.Field`.
    """
    field = group.__dataclass_fields__[name]
    metadata = {**field.metadata, **field.metadata["range"]}
    del metadata["range"]
    return option(**{"default": field.default, **metadata, **changes})


def inherited(**changes):
    """The same of an option of a base class: `x = inherited(default=3)`."""
    return _Inherited(changes)


@dataclasses.dataclass(frozen=True)
class _Inherited:
    changes: dict


@dataclasses.dataclass(frozen=True)
class Options:
    """What the `Config`s of all recipes have in common.

    A subclass has fields made by `option`, `like` or `inherited`, and may have
    a `check` of what does not go together otherwise, and a `profile_settings`
    of what is other than by default unless it is given.

    Raises:
        ValueError: When it is made: a value that is none, an option that would
            do nothing, or what `check` refuses.
    """

    # What only some recipes have an option for: the name of what else is
    # other than by default.
    profile = None

    # The names of the options that were given, in a place of its own: it is
    # no option.
    __slots__ = ("_given",)

    def __init_subclass__(cls):
        # Before `dataclass` looks for fields.
        for name, value in list(vars(cls).items()):
            if isinstance(value, _Inherited):
                group = next(
                    base
                    for base in cls.__bases__
                    if name in base.__dataclass_fields__
                )
                cls.__annotations__[name] = group.__dataclass_fields__[
                    name
                ].type
                setattr(cls, name, like(group, name, **value.changes))

    def __new__(cls, **options):
        made = super().__new__(cls)
        object.__setattr__(made, "_given", frozenset(options))
        return made

    def __post_init__(self):
        given = {name: getattr(self, name) for name in self._given}
        values = self._with_profile(given)
        for field in dataclasses.fields(self):
            # A frozen dataclass sets its own normalised fields this way.
            value = _plain(values[field.name])
            object.__setattr__(self, field.name, value)
            _check_value(field, value)
        self.complete()
        for field in dataclasses.fields(self):
            if getattr(self, field.name) != field.default:
                self._check_effect(field)
        self.check()

    def complete(self):
        """Sets options that follow from others."""

    def check(self):
        """Raises on what does not go together."""

    @classmethod
    def profile_settings(cls, options):
        """Options that are other than by default, unless they are given.

        Args:
            options: dict of name to value: those that are given, the others
                as by default.

        Returns:
            dict of name to value.
        """
        return {}

    def changed(self, **changes):
        """The same with other options; what has no effect with these is left.

        Args:
            **changes: Options and their values.

        Returns:
            An instance of the same class, in which options that would be
            refused since they have no effect are as by default.
        """
        given = {name: getattr(self, name) for name in self._given} | changes
        values = self._with_profile(given)
        for field in dataclasses.fields(self):
            for condition in field.metadata["no_effect_with"]:
                if all(values[k] == v for k, v in condition.items()):
                    given[field.name] = values[field.name] = field.default
        return type(self)(**given)

    @classmethod
    def _with_profile(cls, given):
        """All options, by their names."""
        defaults = {
            field.name: field.default for field in dataclasses.fields(cls)
        }
        profile = cls.profile_settings({**defaults, **given})
        return {**defaults, **profile, **given}

    def settings(self):
        """The options as the folder of a run notes them.

        Returns:
            dict of name to value, without what changes nothing of a run, and
            without what came later and is as by default, so that runs of
            before are taken up.
        """
        return {
            field.name: getattr(self, field.name)
            for field in dataclasses.fields(self)
            if field.metadata["noted"]
            and not (
                field.metadata["later"]
                and getattr(self, field.name) == field.default
            )
        }

    def _check_effect(self, field):
        received = in_words(field.name, getattr(self, field.name))
        if self.profile is not None and field.name not in self._given:
            received += f", of --profile {self.profile}"
        for condition in field.metadata["no_effect_with"]:
            if all(getattr(self, k) == v for k, v in condition.items()):
                where = " and ".join(
                    _state(name, value) for name, value in condition.items()
                )
                raise ValueError(
                    f"{flag(field.name)} has no effect {where}. "
                    f"Received: {received}"
                )


def flag(name):
    """The option of a field, as it is written in a command.

    Args:
        name: str. The field.

    Returns:
        str.
    """
    return "--" + name.replace("_", "-")


def split_names(text, name):
    """Reads names that are separated by commas, or by semicolons.

    Args:
        text: str. With a semicolon, commas are parts of names, as in
            `"mnli; wikiann:en,de"`; one name alone has it behind, as in
            `"wikiann:en,de;"`.
        name: str. The option, for messages.

    Returns:
        tuple of str.

    Raises:
        ValueError: If a name stands there twice, or there is none between two
            separators.
    """
    separator = ";" if ";" in text else ","
    names = [part.strip() for part in text.split(separator)]
    if separator == ";" and not names[-1]:
        del names[-1]
    if names == [""]:
        return ()
    if not all(names):
        raise ValueError(
            f"{flag(name)} has no name between two separators. "
            f"Received: {text!r}"
        )
    for one in names:
        if names.count(one) > 1:
            raise ValueError(
                f"Each name of {flag(name)} may stand once. Received {one!r} "
                f"twice: {text!r}"
            )
    return tuple(names)


def check_encoding(encoding):
    """Raises on an encoding that does not exist.

    Args:
        encoding: Optional str.

    Raises:
        ValueError: If Python does not know it.
    """
    if encoding is None:
        return
    try:
        codecs.lookup(encoding)
    except LookupError:
        raise ValueError(
            "--encoding must be one that Python knows, such as cp1252. "
            f"Received: {encoding!r}"
        ) from None


def in_words(name, value):
    """An option and its value, as they are written in a command.

    Args:
        name: str. The field.
        value: Its value.

    Returns:
        str.
    """
    return flag(name) if value is True else f"{flag(name)} {value}"


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


class Once(argparse.Action):
    """Stores an option's value, and refuses another one of the same option."""

    def __call__(self, parser, namespace, values, option_string=None):
        value = values if self.nargs is None else self.const
        store_once(parser, namespace, self.dest, value, option_string)


def store_once(parser, namespace, name, value, option_string):
    """Stores an option's value, unless it has another one already.

    Args:
        parser: `argparse.ArgumentParser`.
        namespace: `argparse.Namespace`.
        name: str. The field.
        value: Its value.
        option_string: str. The option as it was written.
    """
    given = namespace.__dict__.setdefault(GIVEN, {})
    if given.setdefault(name, value) != value:
        parser.error(
            f"argument {option_string}: given twice, as {given[name]} and as "
            f"{value}"
        )
    setattr(namespace, name, value)


# Where a parser remembers which options it has seen.
GIVEN = "_given"


def _add_option(parser, field, choices):
    text = field.metadata["help"]
    if field.type is not bool:
        text += f" (default: {_default_in_words(field.default)}"
        if field.metadata["paper"] is not None:
            text += f"; paper: {field.metadata['paper']}"
        text += ")"
    # A % would start a format of argparse.
    text = text.replace("%", "%%")
    if field.type is bool:
        parser.add_argument(
            flag(field.name),
            action=Once,
            nargs=0,
            const=True,
            default=argparse.SUPPRESS,
            help=text,
        )
        return
    choices = choices or field.metadata["choices"]
    parser.add_argument(
        flag(field.name),
        action=Once,
        type=_plain_type(field.type),
        # What is not given is left to the `Config`.
        default=argparse.SUPPRESS,
        choices=choices,
        metavar=None if choices else field.name.split("_")[-1].upper(),
        help=text,
    )


def _plain(value):
    """A path as a text, a NumPy number as one of Python's."""
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    return value.item() if hasattr(value, "item") else value


def _check_value(field, value):
    """Raises unless a value is of the field's type and in its range."""
    kind, optional = _plain_type(field.type), _is_optional(field.type)
    choices = field.metadata["choices"]
    if value is None and optional:
        return
    if kind is bool:
        expected = "True or False"
        is_right = isinstance(value, bool)
    elif choices is not None:
        expected = f"one of {', '.join(map(str, choices))}"
        is_right = isinstance(value, kind) and value in choices
    elif kind is str:
        # A text may be empty where that is the default.
        expected = "a text that is not empty"
        is_right = isinstance(value, str) and (
            bool(value.strip()) or value == field.default
        )
    else:
        number = Number(kind, **field.metadata["range"])
        expected, is_right = number, number.accepts(value)
    if not is_right:
        raise ValueError(
            f"{flag(field.name)} must be {expected}. Received: {value!r}"
            + did_you_mean(value, choices or ())
        )


def _plain_type(annotation):
    """`int` of `int | None`."""
    if isinstance(annotation, types.UnionType):
        return annotation.__args__[0]
    return annotation


def _is_optional(annotation):
    return isinstance(annotation, types.UnionType)


def _state(name, value):
    """How another option is, in words."""
    if value is None or value is False or value == "":
        return f"without {flag(name)}"
    return f"with {in_words(name, value)}"


def _default_in_words(default):
    return "none" if default is None or default == "" else default
