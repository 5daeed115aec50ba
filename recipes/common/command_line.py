"""What the command lines of all recipes share."""

import argparse
import sys

from keras_distill import io
from keras_distill import stages


def add_run_options(parser, run_dir, with_resume=True):
    """Adds the options of how a recipe is run, whatever it is.

    Args:
        parser: `argparse.ArgumentParser`.
        run_dir: str. The folder of the run unless asked for otherwise.
        with_resume: bool. Whether the run can begin anew in the same folder.
            Defaults to `True`.
    """
    parser.add_argument(
        "--run-dir",
        default=run_dir,
        help="folder of the run (default: %(default)s)",
    )
    if with_resume:
        parser.add_argument(
            "--resume",
            action=argparse.BooleanOptionalAction,
            default=True,
            help="go on with a run of the same settings that is in the "
            "folder; with --no-resume it is renamed and a new one begins "
            "(default: --resume)",
        )
    parser.add_argument(
        "--quiet", action="store_true", help="show the result only"
    )


def run_recipe(parser, config_class, run, arguments=None):
    """Runs a recipe as its command line says.

    Args:
        parser: `argparse.ArgumentParser` with the options of
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
