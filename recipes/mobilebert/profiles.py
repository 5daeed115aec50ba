"""The numbers of the paper.

Of Sun et al. 2020, https://arxiv.org/abs/2004.02984, and of its released code,
google-research/mobilebert, where the paper says none.
"""

SMALL, PAPER = PROFILES = ("small", "paper")

_PRETRAINING = {
    "max_length": 512,
    "max_predictions": 20,
    "teacher_size": "ib_bert_large",
    "student": "mobilebert",
    "batch_size": 2048,
    "teacher_steps": 500_000,
    "warmup": 0.02,
    # 10,000 for each of 24 layers.
    "transfer_steps": 240_000,
    "distil_steps": 500_000,
}
# The paper has ranges: 16, 32 or 48 rows, 1e-5 to 1e-4, 2 to 10 epochs.
_FINE_TUNING = {
    "tuning_batch_size": 32,
    "tuning_epochs": 10,
    "tuning_rates": "1e-5,3e-5,5e-5,7e-5,1e-4",
}


def profile_settings(profile, with_tasks):
    """The options of a profile that are other than by default.

    Args:
        profile: str. `"small"`: the defaults, for two cores; or `"paper"`.
        with_tasks: bool. Whether there is a fine-tuning.

    Returns:
        dict of option to value.
    """
    if profile == SMALL:
        return {}
    return {**_PRETRAINING, **(_FINE_TUNING if with_tasks else {})}
