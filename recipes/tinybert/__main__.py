"""The command line: `python -m recipes.tinybert --task sst2 ...`."""

import sys

from recipes.common.command_line import recipe_parser
from recipes.common.command_line import run_recipe
from recipes.tinybert import recipe
from recipes.tinybert.config import Config


def build_parser():
    """A parser with one option for each setting of the recipe."""
    return recipe_parser(
        "recipes.tinybert",
        "Distils a BERT on a task with TinyBERT's two steps, next "
        "to the same student without a teacher, and leaves a report, the "
        "student and a SavedModel.",
        "runs/tinybert",
        Config,
    )


def main(arguments=None):
    """Runs the recipe; returns the exit status of `run_recipe`."""
    return run_recipe(build_parser(), Config, recipe.run, arguments)


if __name__ == "__main__":
    sys.exit(main())
