"""What the command lines of all recipes share."""

import argparse
import sys

from keras_distill import io
from keras_distill import stages
from keras_distill.checks.arguments import did_you_mean
from recipes.common.options import GIVEN
from recipes.common.options import Once
from recipes.common.options import add_options
from recipes.common.options import store_once


class RecipeParser(argparse.ArgumentParser):
    """Reads options that are written in full, each at most once.

    An option that does not exist is answered with the one that was meant.
    """

    def __init__(self, **kwargs):
        super().__init__(allow_abbrev=False, **kwargs)

    def parse_args(self, args=None, namespace=None):
        found, unknown = self.parse_known_args(args, namespace)
        if unknown:
            known = [
                name
                for action in self._actions
                for name in action.option_strings
            ]
            name = unknown[0].partition("=")[0]
            self.error(
                f"unrecognized arguments: {' '.join(unknown)}"
                f"{did_you_mean(name, known)}"
            )
        found.__dict__.pop(GIVEN, None)
        return found


class _OnceSwitch(argparse.BooleanOptionalAction):
    """`--name` or `--no-name`, one of them once."""

    def __call__(self, parser, namespace, values, option_string=None):
        value = not option_string.startswith("--no-")
        store_once(parser, namespace, self.dest, value, option_string)


def recipe_parser(program, description, run_dir, config_class, without=()):
    """The parser of a recipe's command.

    Args:
        program: str. The module that is run, such as `"recipes.tinybert"`.
        description: str.
        run_dir: str. The folder of the run unless asked for otherwise.
        config_class: dataclass of the configuration.
        without: sequence of str. Its fields that get no option.

    Returns:
        `RecipeParser` with the options of how a recipe is run and one for
        each field.
    """
    parser = RecipeParser(prog=f"python -m {program}", description=description)
    add_run_options(parser, run_dir)
    add_options(parser, config_class, without=without)
    return parser


def recipe_command(
    program, description, run_dir, config_class, run, without=()
):
    """The functions `build_parser` and `main` of a recipe's module."""

    def build_parser():
        return recipe_parser(
            program, description, run_dir, config_class, without
        )

    def main(arguments=None):
        return run_recipe(build_parser(), config_class, run, arguments)

    return build_parser, main


def add_run_options(parser, run_dir):
    """Adds the options of how a recipe is run, whatever it is.

    Args:
        parser: `RecipeParser`.
        run_dir: str. The folder of the run unless asked for otherwise.
    """
    parser.add_argument(
        "--run-dir",
        action=Once,
        type=_folder,
        default=run_dir,
        help="folder of the run (default: %(default)s)",
    )
    parser.add_argument(
        "--resume",
        action=_OnceSwitch,
        default=True,
        help="go on with a run of the same settings that is in the folder; "
        "with --no-resume it is renamed and a new one begins (default: "
        "--resume)",
    )
    parser.add_argument(
        "--quiet",
        action=Once,
        nargs=0,
        const=True,
        default=False,
        help="show the result only",
    )


def run_recipe(parser, config_class, run, arguments=None):
    """Runs a recipe as its command line says.

    Args:
        parser: `RecipeParser` with the options of
            `add_run_options` and one for each field of the configuration.
        config_class: dataclass of the configuration.
        run: function of a configuration, and of `run_dir`, `quiet` and
            `resume` by name.
        arguments: Optional list of str. Defaults to the process's own.

    Returns:
        int. The exit status, see `exit_status`.
    """
    options = vars(parser.parse_args(arguments))
    run_options = {
        name: options.pop(name) for name in ("run_dir", "quiet", "resume")
    }
    return exit_status(
        parser.prog.removeprefix("python -m "),
        run_options["run_dir"],
        lambda: run(config_class(**options), **run_options),
    )


def exit_status(program, run_dir, function):
    """Calls what a command does, and turns errors into messages.

    Args:
        program: str. The command's name, for the messages.
        run_dir: str. The folder of the run.
        function: Callable without arguments.

    Returns:
        int. The exit status: 0, 2 after a message on bad input, or 128 and
        the number of the signal that stopped the run: 130 for Ctrl-C.
    """
    try:
        function()
        io.drop_lost_output()
    except (ValueError, OSError, FloatingPointError, ImportError) as error:
        print(f"{program}: {error}", file=sys.stderr)
        return 2
    except stages.Interrupted as stop:
        print(f"\n{stop}", file=sys.stderr)
        return stop.exit_code
    except KeyboardInterrupt:
        print(
            f"\nStopped. What is done is kept in {run_dir}; "
            "the same command goes on from the last checkpoint.",
            file=sys.stderr,
        )
        return 130
    return 0


def _folder(text):
    if not text.strip():
        raise argparse.ArgumentTypeError("a folder must have a name")
    return text
