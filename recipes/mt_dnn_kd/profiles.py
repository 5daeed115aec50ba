"""The numbers of the paper.

Of Liu et al. 2019, https://arxiv.org/abs/1904.09482, and of MT-DNN, Liu et al.
2019, https://arxiv.org/abs/1901.11504, whose training it goes on with.
"""

QUICK, PAPER = PROFILES = ("quick", "paper")

_PAPER = {
    "members": ",".join(
        f"{encoder}:{dropout}"
        for encoder in ("bert_large_en", "bert_large_en_uncased")
        for dropout in (0.1, 0.2, 0.3)
    ),
    "best": 3,
    "student": "bert_large_en_uncased",
    "answer_networks": "mnli,rte,qqp,mrpc",
    "epochs": 5,
    "tuning_epochs": 5,
    "max_train_examples": None,
    "sequence_length": 512,
}


def profile_settings(profile):
    """The options of a profile that are other than by default.

    Args:
        profile: str. `"quick"`: the defaults, for two cores; or `"paper"`.

    Returns:
        dict of option to value.
    """
    return {} if profile == QUICK else dict(_PAPER)
