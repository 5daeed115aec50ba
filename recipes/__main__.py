"""Says which recipes there are: `python -m recipes`."""

import sys

_RECIPES = {
    "recipes.tinybert": "TinyBERT: distils a BERT on one task in two steps",
    "recipes.tinybert.general": "TinyBERT's general distillation, over plain "
    "text",
    "recipes.tinybert.augment": "TinyBERT's data augmentation",
    "recipes.tinybert.masked_lm": "a masked language model for it",
    "recipes.mobilebert": "MobileBERT: pre-trains a thin student that follows "
    "its teacher layer by layer",
    "recipes.mobilebert.fine_tuning": "fine-tunes what it leaves on a task",
    "recipes.mt_dnn_kd": "MT-DNN: many tasks in one model, taught by ensembles "
    "of such models",
    "recipes.xtremedistil": "XtremeDistil: distils on one task, fine-tunes on "
    "many",
    "recipes.xtremedistil.study": "which source, texts and size transfer best",
    "recipes.xtremedistil.bilstm": "XtremeDistil of 2020: a recurrent student",
    "recipes.xtremedistil.error_propagation": "how far errors of lower layers "
    "spoil the upper ones",
}


def main(arguments=None):
    """Prints the commands of the recipes.

    Args:
        arguments: Optional list of str. Defaults to the process's own.

    Returns:
        int. The exit status: 0, or 2 where a recipe was asked for in a way
        that starts none.
    """
    arguments = sys.argv[1:] if arguments is None else arguments
    asked = [word for word in arguments if word not in ("-h", "--help")]
    lines = [f"  python -m {name:<40}{what}" for name, what in _RECIPES.items()]
    text = "\n".join(
        ["Each recipe is a command, and --help explains it:", "", *lines]
    )
    if not asked:
        print(text)
        return 0
    for name in _RECIPES:
        if asked[0] in (name, name.removeprefix("recipes.")):
            rest = " ".join(asked[1:])
            print(f"Use: python -m {name} {rest}".rstrip(), file=sys.stderr)
            return 2
    print(f"There is no recipe {asked[0]!r}. {text}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
