"""The command line: `python -m recipes.tinybert --task sst2 ...`."""

import sys

from recipes.common.command_line import RecipeParser
from recipes.common.command_line import add_run_options
from recipes.common.command_line import run_recipe
from recipes.common.options import add_options
from recipes.tinybert import recipe
from recipes.tinybert.config import Config


def build_parser():
    """A parser with one option for each setting of the recipe."""
    parser = RecipeParser(
        prog="python -m recipes.tinybert",
        description="Distils a BERT on a task with TinyBERT's two steps, next "
        "to the same student without a teacher, and leaves a report, the "
        "student and a SavedModel.",
    )
    add_run_options(parser, "runs/tinybert")
    add_options(parser, Config)
    return parser


def main(arguments=None):
    """Runs the recipe from the command line.

    Args:
        arguments: Optional list of str. Defaults to the process's own.

    Returns:
        int. The exit status: 0, 2 after a message on bad input, or 128 and
        the number of the signal that stopped the run: 130 for Ctrl-C.
    """
    return run_recipe(build_parser(), Config, recipe.run, arguments)


if __name__ == "__main__":
    sys.exit(main())
