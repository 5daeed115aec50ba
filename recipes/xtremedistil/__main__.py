"""The command line: `python -m recipes.xtremedistil --source mnli ...`."""

import sys

from recipes.common.command_line import RecipeParser
from recipes.common.command_line import add_run_options
from recipes.common.command_line import run_recipe
from recipes.common.options import add_options
from recipes.xtremedistil import recipe
from recipes.xtremedistil.config import Config


def build_parser():
    """A parser with one option for each setting of the recipe."""
    parser = RecipeParser(
        prog="python -m recipes.xtremedistil",
        description="Distils a BERT on a source task by stages: hidden states "
        "and attention, logits, labels. Then fine-tunes the distilled encoder "
        "on any target tasks, next to the same student without distillation.",
    )
    add_run_options(parser, "runs/xtremedistil")
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
