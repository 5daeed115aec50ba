"""The command line: `python -m recipes.xtremedistil --source mnli ...`."""

import sys

from recipes.common.command_line import recipe_parser
from recipes.common.command_line import run_recipe
from recipes.xtremedistil import recipe
from recipes.xtremedistil.config import Config


def build_parser():
    """A parser with one option for each setting of the recipe."""
    return recipe_parser(
        "recipes.xtremedistil",
        "Distils a BERT on a source task by stages: hidden states "
        "and attention, logits, labels. Then fine-tunes the distilled encoder "
        "on any target tasks, next to the same student without distillation.",
        "runs/xtremedistil",
        Config,
    )


def main(arguments=None):
    """Runs the recipe; returns the exit status of `run_recipe`."""
    return run_recipe(build_parser(), Config, recipe.run, arguments)


if __name__ == "__main__":
    sys.exit(main())
