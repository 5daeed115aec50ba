"""What a run trains, one after the other, and what of it is done."""

import dataclasses

from keras_distill import io
from keras_distill.io.saving import local_path


def show_plan(config, run_dir):
    """Prints what a run of a configuration trains, and what is there.

    Args:
        config: `Config`.
        run_dir: Path of the run's folder, which need not be there.
    """
    path = local_path(run_dir)
    table = io.markdown_table(
        ["step", "of", "on", "epochs", "done"],
        [
            [step.name, step.of, step.on, str(step.epochs), _done(path, step)]
            for step in steps(config)
        ],
    )
    io.make_console(soft_wrap=True, highlight=False).print(table)


@dataclasses.dataclass(frozen=True)
class Step:
    """One or some stages of a run.

    Attributes:
        name: str. How it is shown.
        of: str. What is trained.
        on: str. The tasks.
        epochs: int. The most epochs.
        stages: tuple of str. The names that its stages may have.
        count: int. How many of these there will be.
    """

    name: str
    of: str
    on: str
    epochs: int
    stages: tuple
    count: int = 1


def steps(config):
    """What is trained, in its order.

    Args:
        config: `Config`.

    Returns:
        list of `Step`.
    """
    tasks, members = ", ".join(config.task_names), config.members_by_name
    student = _in_words(config.student_start)

    def one(name, of, on, epochs):
        return Step(name, of, on, epochs, (name,))

    found = [
        one(name, _in_words(start), tasks, config.epochs)
        for name, start in members.items()
    ]
    if members and config.tuning_epochs:
        found += [
            Step(
                f"<member>-{task}",
                f"each of the best {config.best}",
                task,
                config.tuning_epochs,
                tuple(f"{name}-{task}" for name in members),
                config.best,
            )
            for task in config.taught_names
        ]
    if "single" in config.baseline_names:
        found += [
            one(f"single-{task}", student, task, config.epochs)
            for task in config.task_names
        ]
    if "multi" in config.baseline_names:
        found.append(one("multi", student, tasks, config.epochs))
    on = tasks
    if members:
        on += f"; soft labels of {', '.join(config.taught_names)}"
    found.append(one("student", student, on, config.epochs))
    if config.student_tuning_epochs:
        found += [
            one(
                f"student-{task}",
                "the student",
                task,
                config.student_tuning_epochs,
            )
            for task in config.task_names
        ]
    return found


def _in_words(start):
    return f"{start.encoder}, dropout {start.dropout:g}"


def _done(path, step):
    """How much of a step is finished in a run's folder, in words."""
    done = sum(
        (path / "stages" / name / "result.json").is_file()
        for name in step.stages
    )
    if done >= step.count:
        return "yes"
    return f"{done} of {step.count}" if step.count > 1 else ""
