"""The command line: `python -m recipes.mt_dnn_kd --glue-dir glue ...`."""

import sys

from recipes.common.command_line import recipe_command
from recipes.mt_dnn_kd import recipe
from recipes.mt_dnn_kd.config import Config

build_parser, main = recipe_command(
    "recipes.mt_dnn_kd",
    "Trains multi-task teachers, writes the soft labels of an ensemble of "
    "them, and trains one student of all tasks with these.",
    "runs/mt_dnn_kd",
    Config,
    recipe.run,
)

if __name__ == "__main__":
    sys.exit(main())
