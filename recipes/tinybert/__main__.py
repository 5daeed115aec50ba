"""The command line: `python -m recipes.tinybert --task sst2 ...`."""

import sys

from recipes.common.command_line import recipe_command
from recipes.tinybert import recipe
from recipes.tinybert.config import Config

build_parser, main = recipe_command(
    "recipes.tinybert",
    "Distils a BERT on a task with TinyBERT's two steps, next "
    "to the same student without a teacher, and leaves a report, the "
    "student and a SavedModel.",
    "runs/tinybert",
    Config,
    recipe.run,
)

if __name__ == "__main__":
    sys.exit(main())
