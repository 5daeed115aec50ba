"""Which source task, transfer texts and student size transfer best?

`python -m recipes.xtremedistil.study --sources ... --targets ...`
"""

import dataclasses
import itertools
import pathlib
import sys

from keras_distill import io
from keras_distill import stages
from keras_distill import teachers
from keras_distill.io.saving import check_names_free
from keras_distill.io.saving import local_path
from recipes.common import options
from recipes.common import reading
from recipes.common.command_line import recipe_command
from recipes.common.devices import begin_devices
from recipes.common.experiment import Experiment
from recipes.common.models import FINE_TUNING
from recipes.common.tables import show_table
from recipes.common.texts import text_files
from recipes.xtremedistil import ranking
from recipes.xtremedistil import recipe
from recipes.xtremedistil import targets
from recipes.xtremedistil.checks import Checks
from recipes.xtremedistil.config import Config
from recipes.xtremedistil.targets import slug

# Among `transfers`: the source's own training texts.
OWN = "own"
# The row of students that were not distilled.
START = "no distillation"
# What it leaves: its own files, and the folders of its parts.
_LEAVES = (
    *("study.json", "study.md", "study.png"),
    *("teachers", "rows", "cells", "shared"),
)
# What the whole study's folder belongs to: its parts know their settings.
_STUDY = {"program": "recipes.xtremedistil.study"}
# What a study sets by itself, for each of its runs; their sources are named.
SET_BY_STUDY = (
    *("source", "transfer", "task_distillation"),
    *("data", "text_column", "label_column", "id_column"),
    *("label_separator", "kind"),
)
_FIELDS = Config.__dataclass_fields__


@dataclasses.dataclass(frozen=True)
class Row:
    """One distilled student: its source task, transfer texts and size."""

    source: str
    transfer: str
    student: str

    @property
    def folder(self):
        """What its folders are called."""
        return slug(f"{self.source}__{self.transfer}__{self.student}")

    def name(self, rows):
        """What tells it from the others: what differs, or its source."""
        names = [field.name for field in dataclasses.fields(self)]
        differing = [n for n in names if len({getattr(r, n) for r in rows}) > 1]
        if self.source == START:
            differing = ["source", *({"student"} & set(differing))]
        return ", ".join(getattr(self, n) for n in differing) or self.source


@dataclasses.dataclass(frozen=True)
class Settings(Config):
    """The settings of the recipe, with several sources, texts and sizes."""

    # Each source has a teacher of its own, which is trained once.
    takes_several_teachers = False

    sources: str = options.option("", "source tasks, by commas")
    targets = options.inherited(help="target tasks, by commas")
    transfers: str = options.option(
        OWN,
        "files or folders of unlabelled texts, by commas, and 'own' for the "
        "source's training texts",
    )
    students: str | None = options.option(
        None, "student sizes, by commas; by default --student"
    )

    def complete(self):
        if not self.rows or not self.target_names:
            raise ValueError(
                "A study needs sources and targets. Received: --sources "
                f"{self.sources!r} --targets {self.targets!r}"
            )
        # All else is checked as the settings of a run.
        files = [row.transfer for row in self.rows if row.transfer != OWN]
        object.__setattr__(self, "source", self.rows[0].source)
        object.__setattr__(self, "transfer", files[0] if files else None)

    @property
    def rows(self):
        """What is distilled, as a list of `Row`."""
        sizes = self.students or f"{self.student};"
        names = itertools.product(
            options.split_names(self.sources, "sources"),
            options.split_names(self.transfers, "transfers"),
            options.split_names(sizes, "students"),
        )
        return [Row(*one) for one in names]

    def check(self):
        super().check()
        if self.soft_labels is not None:
            raise ValueError(
                "--soft-labels are of the rows of one source, which "
                "recipes.xtremedistil distils. Received: --soft-labels "
                f"{self.soft_labels} in a study of several"
            )
        if self.students and self.student != _FIELDS["student"].default:
            raise ValueError(
                "--student has no effect with --students, which are all that "
                f"there are. Received: --student {self.student} and "
                f"{self.students}"
            )
        if self.students and self.student_from is not None:
            raise ValueError(
                "--students has no effect with --student-from, whose size all "
                f"students have. Received: --students {self.students} and "
                f"--student-from {self.student_from}"
            )
        if self.strategy == "multiworker":
            raise ValueError(
                "A study is for one machine: its parts wait for no other one. "
                "Received: --strategy multiworker. Run the recipe itself for "
                "each source, python -m recipes.xtremedistil."
            )
        for what, names in (
            ("sources", [row.source for row in self.rows]),
            ("targets", self.target_names),
            ("transfers", [row.transfer for row in self.rows]),
        ):
            for one, two in itertools.combinations(dict.fromkeys(names), 2):
                if slug(one) == slug(two):
                    raise ValueError(
                        f"--{what} must be names that differ in letters or "
                        "digits, which the folders of the study are named by. "
                        f"Received: {one!r} and {two!r}. Rename one of "
                        "them, or give it to a study in another folder."
                    )

    def of_row(self, row, target_names=(), **changes):
        """The `Config` of a row, and of targets if there are any."""
        names = [row.source, *target_names]
        changes |= {
            "source": row.source,
            "student": row.student,
            "transfer": None if row.transfer == OWN else row.transfer,
            # With the semicolon, commas are parts of names.
            "targets": ";".join([*target_names, ""]) if target_names else "",
        }
        if not reading.reads_glue(names, self):
            changes["glue_dir"] = None
        if not reading.reads_data(names, self):
            changes["data_dir"] = None
        config = Config(**{name: getattr(self, name) for name in _FIELDS})
        return config.changed(**changes)


def run(config, run_dir, quiet=False, resume=True):
    """Distils on every source and fine-tunes each student on every target.

    Rows with a source in common share its teacher; with the transfer texts in
    common as well, the teacher's logits. Beside them stands the student of
    each size without distillation. Each part is a run folder, which a second
    call takes if it is done, or goes on with. A part of other settings or of
    other inputs (teacher, examples, texts) is refused, with the differences.

    Args:
        config: `Settings`.
        run_dir, quiet, resume: As `Experiment.begin` takes them.

    Returns:
        dict that JSON can hold, as `ranking.rank` returns it.
    """
    path = local_path(run_dir)
    is_begun = (path / "run.json").is_file()
    # An earlier version kept no record but of the parts.
    is_earlier = not is_begun and any(path.glob("teachers/*/lock"))
    if not is_begun and not is_earlier:
        check_names_free(path, _LEAVES, "study")
    # Before all models, since a strategy sets up the devices.
    with begin_devices(config.strategy, config.precision):
        checks = _check(config, quiet)
        if is_earlier:
            io.write_json(path / "run.json", {"starts": []})
        with stages.RunFolder(path, _STUDY, resume, quiet) as folder:
            scored = _Study(config, folder, checks).run()
            found = {**ranking.rank(scored, START), "command": folder.command}
            io.write_json(path / "study.json", io.plain(found))
            ranking.draw(found, path / "study.png")
            show_table(path / "study.md", ranking.to_markdown(found))
    io.show(f"Heat map: {path / 'study.png'}")
    return found


def _check(config, quiet):
    """Raises on what any part would fail on; returns `Checks` that know all."""
    sources = dict.fromkeys(row.source for row in config.rows)
    reading.check_folders([*sources, *config.target_names], config)
    configs = [config.of_row(row, config.target_names) for row in config.rows]
    checks = Checks(quiet, identify=True)
    for one in configs:
        checks.check(one)
    return checks


class _Study:
    def __init__(self, config, folder, checks):
        self.config = config
        self.folder = folder
        self.checks = checks

    def run(self):
        """Distils and fine-tunes; returns a list of `ranking.Scored`."""
        rows = self.config.rows
        for row in rows:
            self.folder.say(f"Study: Distilling on {row.name(rows)}")
            self._distil(row)
        sizes = dict.fromkeys(row.student for row in rows)
        asked = [*(Row(START, OWN, size) for size in sizes), *rows]
        found = []
        for number, row in enumerate(asked):
            name, left = row.name(rows), len(asked) - number
            self.folder.say(f"Study: {name} on the targets, {left} rows left")
            cells = [
                self._cell(row, target) for target in self.config.target_names
            ]
            found.append(ranking.Scored(name, row.source, row.student, cells))
        return found

    def _distil(self, row):
        """Distils the student of a row from the teacher of its source."""
        quiet = self.folder.quiet
        teacher = recipe.train_teacher(
            self.config.of_row(Row(row.source, OWN, self.config.student)),
            self.folder.path / "teachers" / slug(row.source),
            quiet=quiet,
            inputs=self._inputs_of_teacher(row),
        )
        path = self.folder.path / "rows" / row.folder
        # It has a head by now.
        fine_tuning = {name: _FIELDS[name].default for name in FINE_TUNING}
        config = self.config.of_row(row, teacher=str(teacher), **fine_tuning)
        settings = {
            **config.source_settings(),
            "teacher": _known_teacher(path, teacher),
        }
        found = self._inputs_of_student(row)
        if (path / "result.json").is_file():
            # Raises unless it is of the same.
            stages.RunFolder(path, settings, quiet=quiet, inputs=found).close()
            return
        shared = self.folder.path / "shared"
        recipe.run(
            config,
            path,
            quiet=quiet,
            cache_dir=shared,
            logits_dir=shared / slug(f"{row.source}__{row.transfer}"),
            settings=settings,
            inputs=found,
        )

    def _cell(self, row, target):
        """A row's result on one target, or what an earlier run found."""
        path = self.folder.path / "cells" / row.folder / slug(target)
        found = {"target": self.checks.task_inputs[target]}
        student_of, kind = row, targets.TRANSFERRED
        if row.source == START:
            kind = targets.BASELINE
            # It has the tokenizer of any student of its size, and nothing is
            # distilled: the target is all there is.
            student_of = next(
                one for one in self.config.rows if one.student == row.student
            )
            known = self.checks.teacher_inputs[student_of.source]
            found["encoder"] = known["encoder"]
            row = dataclasses.replace(row, source=target)
        else:
            found |= self._inputs_of_student(row)
        student = self.folder.path / "rows" / student_of.folder / "student"

        def make_student(task, length):
            return teachers.load_teacher(
                str(student), task.num_outputs, length, task.model_class
            ).classifier

        with Experiment.begin(
            self.config.of_row(row, [target], metric=None),
            path,
            self.folder.quiet,
            inputs=found,
            cache_dir=self.folder.path / "shared",
        ) as experiment:
            result = io.read_json(path / "result.json")
            if result is None:
                with experiment.scope:
                    result = targets.transfer(
                        experiment, target, make_student, (kind,)
                    )
                if experiment.folder.writes:
                    io.write_json(path / "result.json", io.plain(result))
        return result

    def _inputs_of_teacher(self, row):
        """What the teacher of a row depends on beside its settings."""
        return {
            "source": self.checks.task_inputs[row.source],
            "teacher": self.checks.teacher_inputs[row.source]["teacher"],
        }

    def _inputs_of_student(self, row):
        """What the student of a row depends on beside its settings."""
        config, texts = self.config.of_row(row), {}
        if config.transfer is not None:
            files = text_files(config).files
            texts = io.content_hash(*files, files=self.folder.hash_of)
            texts = {config.transfer: texts.hexdigest()}
        return {**self._inputs_of_teacher(row), "texts": texts}


def _known_teacher(path, teacher):
    """The teacher of a row as its folder names it: the study may have moved."""
    settings = io.read_json(path / "config.json") or {}
    known = str(settings.get("teacher"))
    is_same = pathlib.Path(known).parts[-3:] == teacher.parts[-3:]
    return known if is_same else str(teacher)


build_parser, main = recipe_command(
    "recipes.xtremedistil.study",
    "Distils the same student on several source tasks, from several sets of "
    "unlabelled texts, or students of several sizes; fine-tunes each on "
    "several targets; ranks them and draws the heat map. Done parts are kept: "
    "the same command goes on, and another source or target adds to what is "
    "there; other settings, another teacher and other data are refused.",
    "runs/xtremedistil-study",
    Settings,
    run,
    without=SET_BY_STUDY,
)

if __name__ == "__main__":
    sys.exit(main())
