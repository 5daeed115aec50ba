"""The command line: `python -m recipes.xtremedistil --source mnli ...`."""

import sys

from recipes.common.command_line import recipe_command
from recipes.xtremedistil import recipe
from recipes.xtremedistil.config import Config

build_parser, main = recipe_command(
    "recipes.xtremedistil",
    "Distils a BERT on a source task by stages: hidden states "
    "and attention, logits, labels. Then fine-tunes the distilled encoder "
    "on any target tasks, next to the same student without distillation.",
    "runs/xtremedistil",
    Config,
    recipe.run,
)

if __name__ == "__main__":
    sys.exit(main())
