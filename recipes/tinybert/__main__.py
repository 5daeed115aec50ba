"""The command line: `python -m recipes.tinybert --task sst2 ...`."""

import argparse
import dataclasses
import sys
import types

from keras_distill import stages
from keras_distill import tasks
from recipes.tinybert import recipe
from recipes.tinybert.config import Config


def build_parser():
    """A parser with one option for each setting of the recipe."""
    parser = argparse.ArgumentParser(
        prog="python -m recipes.tinybert",
        description="Distils a BERT on a task with TinyBERT's two steps, next "
        "to the same student without a teacher, and leaves a report, the "
        "student and a SavedModel.",
    )
    parser.add_argument(
        "--run-dir",
        default="runs/tinybert",
        help="folder of the run (default: %(default)s)",
    )
    parser.add_argument(
        "--resume",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="go on with a run of the same settings that is in the folder; "
        "with --no-resume it is renamed and a new one begins "
        "(default: --resume)",
    )
    parser.add_argument(
        "--quiet", action="store_true", help="show the result only"
    )
    for field in dataclasses.fields(Config):
        _add_option(parser, field)
    return parser


def _add_option(parser, field):
    text = field.metadata["help"]
    if field.type is not bool:
        text += f" (default: {_in_words(field.default)}"
        if field.metadata["paper"] is not None:
            text += f"; paper: {field.metadata['paper']}"
        text += ")"
    flag = "--" + field.name.replace("_", "-")
    if field.type is bool:
        parser.add_argument(flag, action="store_true", help=text)
        return
    choices = field.metadata["choices"]
    if field.name == "task":
        choices = [name for name in tasks.task_names() if name != "ax"]
    parser.add_argument(
        flag,
        type=_plain_type(field.type),
        default=field.default,
        choices=choices,
        metavar=None if choices else field.name.split("_")[-1].upper(),
        # A % would start a format of argparse.
        help=text.replace("%", "%%"),
    )


def _plain_type(annotation):
    """`int` of `int | None`."""
    if isinstance(annotation, types.UnionType):
        return annotation.__args__[0]
    return annotation


def _in_words(default):
    return "none" if default is None else default


def main(arguments=None):
    """Runs the recipe from the command line.

    Args:
        arguments: Optional list of str. Defaults to the process's own.

    Returns:
        int. The exit status: 0, 2 after a message on bad input, or 128 and
        the number of the signal that stopped the run: 130 for Ctrl-C.
    """
    options = vars(build_parser().parse_args(arguments))
    run_options = {
        name: options.pop(name) for name in ("run_dir", "quiet", "resume")
    }
    try:
        recipe.run(Config(**options), **run_options)
    except (ValueError, OSError, FloatingPointError) as error:
        print(f"recipes.tinybert: {error}", file=sys.stderr)
        return 2
    except stages.Interrupted as stop:
        print(f"\n{stop}", file=sys.stderr)
        return stop.exit_code
    except KeyboardInterrupt:
        print(
            f"\nStopped. What is done is kept in {run_options['run_dir']}; "
            "the same command goes on from the last checkpoint.",
            file=sys.stderr,
        )
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
