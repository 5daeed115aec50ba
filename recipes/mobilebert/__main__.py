"""The command line: `python -m recipes.mobilebert --corpus texts ...`."""

import sys

from recipes.common.command_line import recipe_command
from recipes.mobilebert import recipe
from recipes.mobilebert.config import Config

build_parser, main = recipe_command(
    "recipes.mobilebert",
    "Pre-trains an inverted-bottleneck BERT over plain text, then a "
    "MobileBERT that follows it, and fine-tunes both on tasks.",
    "runs/mobilebert",
    Config,
    recipe.run,
)

if __name__ == "__main__":
    sys.exit(main())
