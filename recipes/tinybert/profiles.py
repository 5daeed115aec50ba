"""The numbers of the paper and of its released script, task by task.

Of Jiao et al. 2020, https://arxiv.org/abs/1909.10351, section 4.2, and of
TinyBERT/task_distill.py in https://github.com/huawei-noah/Pretrained-Language-Model
with the commands of its README.
"""

import dataclasses

QUICK, PAPER, SCRIPT = PROFILES = ("quick", "paper", "script")


@dataclasses.dataclass(frozen=True)
class TaskNumbers:
    """What differs between tasks.

    Attributes:
        paper_epochs: int. Epochs of step 1 in the paper.
        script_epochs: int. Those of the script's table, which its code looks
            up by a wrong name, so that its command line has the last word.
        sequence_length: int. Most tokens of an example, in both.
    """

    paper_epochs: int
    script_epochs: int
    sequence_length: int


BY_TASK = {
    "cola": TaskNumbers(50, 50, 64),
    "mnli": TaskNumbers(10, 5, 128),
    "mrpc": TaskNumbers(20, 20, 128),
    "qnli": TaskNumbers(10, 10, 128),
    "qqp": TaskNumbers(10, 5, 128),
    "rte": TaskNumbers(20, 20, 128),
    "sst2": TaskNumbers(20, 10, 64),
    "stsb": TaskNumbers(20, 20, 128),
}
# Tasks that are not the paper's; their length is the task's own.
OTHER = TaskNumbers(20, 10, None)

# What both have in common.
_OF_ALL_TASKS = {
    "teacher": "bert_base_en_uncased",
    "student": "tinybert_4l_312d",
    "head": "tinybert",
    "batch_size": 32,
    "optimizer": "bert_adam",
    "weight_decay": 0.01,
    "short_batches": "dropped",
    "evaluate_every": 100,
    "intermediate_rate": 5e-5,
    "intermediate_schedule": "constant",
    "prediction_epochs": 3,
    # The paper chooses it among 1e-5, 2e-5 and this, which the README has.
    "prediction_rate": 3e-5,
    "temperature": 1.0,
    "normalization": "official",
}


def profile_settings(profile, task):
    """The options of a profile that are other than by default.

    Args:
        profile: str. `"quick"`: the defaults, for two cores and a student
            without general distillation; `"paper"`; or `"script"`, which
            differs in the epochs of step 1, in the teacher's dropout, which
            is on, and on STS-B, where step 2 follows the labels.
        task: str. The task's name.

    Returns:
        dict of option to value.
    """
    if profile == QUICK:
        return {}
    numbers = BY_TASK.get(task, OTHER)
    found = {
        **_OF_ALL_TASKS,
        "sequence_length": numbers.sequence_length,
        "intermediate_epochs": numbers.paper_epochs,
    }
    if profile == SCRIPT:
        found["intermediate_epochs"] = numbers.script_epochs
        found["teacher_dropout"] = "on"
        if task == "stsb":
            found["prediction_target"] = "labels"
    return found
