"""Which source task, transfer texts and student size transfer best?

`python -m recipes.xtremedistil.study --sources ... --targets ...`
"""

import dataclasses
import itertools
import pathlib
import shlex
import sys

from keras_distill import io
from keras_distill import stages
from keras_distill import teachers
from keras_distill.io.saving import check_names_free
from keras_distill.io.saving import local_path
from recipes.common.command_line import exit_status
from recipes.common.command_line import recipe_parser
from recipes.common.devices import begin_strategy
from recipes.common.experiment import Experiment
from recipes.common.models import FINE_TUNING
from recipes.common.option_groups import TextOptions
from recipes.common.options import Once
from recipes.common.options import split_names
from recipes.common.reading import check_folders
from recipes.common.reading import reads_data
from recipes.common.reading import reads_glue
from recipes.common.texts import text_files
from recipes.xtremedistil import ranking
from recipes.xtremedistil import recipe
from recipes.xtremedistil.checks import Checks
from recipes.xtremedistil.config import OF_TARGETS
from recipes.xtremedistil.config import Config

# Among `transfers`: the source's own training texts.
OWN = "own"
# The row of students that were not distilled.
START = "no distillation"
# What it leaves: its own files, and the folders of its parts.
_LEAVES = (
    *("study.json", "study.md", "study.png"),
    *("teachers", "rows", "cells", "shared"),
)
# What a study sets by itself, for each of its runs.
_SET_BY_STUDY = ("source", "targets", "transfer", "task_distillation")
# Sources are named.
_OF_DATA = (
    *("data", "text_column", "label_column", "label_separator", "kind"),
)
# What the whole study's folder belongs to: its parts know their settings.
_STUDY = {"program": "recipes.xtremedistil.study"}
_FIELDS = Config.__dataclass_fields__
# Settings of files, which mean nothing where none is read.
_OF_FILES = ("skip_bad_rows", "encoding")
_OF_TEXTS = [
    name for name in TextOptions.__dataclass_fields__ if name not in _OF_FILES
]


@dataclasses.dataclass(frozen=True)
class Row:
    """One distilled student: its source task, transfer texts and size.

    `transfer` is a file or folder of unlabelled texts, or `OWN`.
    """

    source: str
    transfer: str
    student: str


def run(
    config,
    run_dir,
    sources,
    target_names,
    transfers=(OWN,),
    student_sizes=None,
    quiet=False,
    command="",
    resume=True,
):
    """Distils on every source and fine-tunes each student on every target.

    Rows with a source in common share its teacher; with the transfer texts in
    common as well, the teacher's logits. Beside them stands the student of
    each size without distillation. Each part is a run folder, which a second
    call takes if it is done, or goes on with. A part of other settings or of
    other inputs (teacher, examples, texts) is refused, with the differences.

    Args:
        config: `Config`. The study sets `source`, `targets` and `transfer`
            itself, and `student` where there are `student_sizes`; it does not
            distil on targets.
        run_dir, quiet, resume: As `Experiment.begin` takes them.
        sources, target_names: sequences of str. Tasks.
        transfers: sequence of str. Files or folders of unlabelled texts, and
            `"own"` for the source's training texts.
        student_sizes: Optional sequence of str, in place of the
            configuration's.
        command: str. The command that was run, for the report.

    Returns:
        dict that JSON can hold, as `ranking.rank` returns it.
    """
    if student_sizes and config.student != _FIELDS["student"].default:
        raise ValueError(
            "--student has no effect with --students, which are all that "
            f"there are. Received: --student {config.student} and "
            f"{list(student_sizes)}"
        )
    if student_sizes and config.student_from is not None:
        raise ValueError(
            "--students has no effect with --student-from, whose size all "
            f"students have. Received: {list(student_sizes)} and "
            f"--student-from {config.student_from}"
        )
    sizes = student_sizes or (config.student,)
    rows = [
        Row(*names) for names in itertools.product(sources, transfers, sizes)
    ]
    if not rows or not target_names:
        raise ValueError(
            "A study needs sources and targets. Received: "
            f"sources={list(sources)}, targets={list(target_names)}"
        )
    if config.strategy == "multiworker":
        raise ValueError(
            "A study is for one machine: its parts wait for no other one. "
            "Received: --strategy multiworker. Run the recipe itself for "
            "each source, python -m recipes.xtremedistil."
        )
    path = local_path(run_dir)
    # An earlier version kept no record but of the parts.
    is_earlier = not (path / "run.json").is_file() and any(
        path.glob("teachers/*/lock")
    )
    if not is_earlier and not (path / "run.json").is_file():
        check_names_free(path, _LEAVES, "study")
    checks = _check(config, rows, target_names, quiet)
    if is_earlier:
        io.write_json(path / "run.json", {"starts": []})
    with stages.RunFolder(path, _STUDY, resume, quiet) as folder:
        scored = _Study(config, folder, checks).run(rows, target_names)
        found = {**ranking.rank(scored, START), "command": command}
        table = ranking.to_markdown(found)
        io.write_json(path / "study.json", io.plain(found))
        io.write_text(path / "study.md", table)
        ranking.draw(found, path / "study.png")
    console = io.make_console(soft_wrap=True, highlight=False)
    console.print(table)
    console.print(f"Heat map: {path / 'study.png'}")
    return found


def _check(config, rows, target_names, quiet):
    """Raises on what any part would fail on; returns `Checks` that know all."""
    sources = dict.fromkeys(row.source for row in rows)
    for option, names in (
        ("sources", sources),
        ("targets", target_names),
        ("transfers", (row.transfer for row in rows)),
    ):
        known = {}
        for name in names:
            other = known.setdefault(recipe.slug(name), name)
            if other != name:
                raise ValueError(
                    f"--{option} must be names that differ in letters or "
                    "digits, which the folders of the study are named by. "
                    f"Received: {other!r} and {name!r}. Rename one of them, "
                    "or give it to a study in another folder."
                )
    check_folders([*sources, *target_names], config)
    if all(row.transfer == OWN for row in rows):
        # Else settings of texts would be left out without a word.
        dataclasses.replace(config, transfer=None)
    configs = [_row_config(config, row, target_names) for row in rows]
    # Before all models, since a strategy sets up the devices.
    begin_strategy(config.strategy)
    checks = Checks(quiet, identify=True)
    for one in configs:
        checks.check(one)
    return checks


class _Study:
    def __init__(self, config, folder, checks):
        self.config = config
        self.folder = folder
        self.checks = checks

    def run(self, rows, target_names):
        """Distils and fine-tunes; returns a list of `ranking.Scored`."""
        for row in rows:
            self.folder.say(f"Study: Distilling on {row_name(row, rows)}")
            self._distil(row)
        sizes = dict.fromkeys(row.student for row in rows)
        # The student without distillation of a size has the tokenizer of any
        # of that size.
        asked = [
            (
                f"{START}, {size}" if len(sizes) > 1 else START,
                Row(START, OWN, size),
                next(row for row in rows if row.student == size),
                recipe.BASELINE,
            )
            for size in sizes
        ]
        asked += [
            (row_name(row, rows), row, row, recipe.TRANSFERRED) for row in rows
        ]
        found = []
        for number, (name, row, start, kind) in enumerate(asked):
            left = len(asked) - number
            self.folder.say(f"Study: {name} on the targets, {left} rows left")
            cells = [
                self._cell(row, start, kind, target) for target in target_names
            ]
            found.append(ranking.Scored(name, row.source, row.student, cells))
        return found

    def _distil(self, row):
        """Distils the student of a row from the teacher of its source."""
        quiet = self.folder.quiet
        teacher = recipe.train_teacher(
            self._config(Row(row.source, OWN, self.config.student)),
            self.folder.path / "teachers" / recipe.slug(row.source),
            quiet=quiet,
            inputs=self._inputs_of_teacher(row),
        )
        path = self._folder("rows", row)
        config = self._config(
            row, teacher=str(teacher), **defaults(FINE_TUNING)
        )
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
            logits_dir=shared / recipe.slug(f"{row.source}__{row.transfer}"),
            settings=settings,
            inputs=found,
        )

    def _cell(self, row, start, kind, target):
        """A row's result on one target, or what an earlier run found."""
        path = self._folder("cells", row) / recipe.slug(target)
        found = {"target": self.checks.task_inputs[target]}
        if kind == recipe.BASELINE:
            known = self.checks.teacher_inputs[start.source]
            found["encoder"] = known["encoder"]
            # Nothing is distilled: the target is all there is.
            row = dataclasses.replace(row, source=target)
        else:
            found |= self._inputs_of_student(row)
        student = str(self._folder("rows", start) / "student")
        config = self._config(row, [target], metric=None)
        with Experiment.begin(
            config,
            path,
            self.folder.quiet,
            settings=config.settings(),
            inputs=found,
            cache_dir=self.folder.path / "shared",
        ) as experiment:
            result = io.read_json(path / "result.json")
            if result is None:
                with experiment.scope:
                    result = recipe.transfer(
                        experiment,
                        target,
                        lambda task, length: (
                            teachers.load_teacher(
                                student,
                                task.num_outputs,
                                length,
                                task.model_class,
                            ).classifier
                        ),
                        (kind,),
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
        config, texts = self._config(row), {}
        if config.transfer is not None:
            files = text_files(config).files
            texts = io.content_hash(*files, files=self.folder.hash_of)
            texts = {config.transfer: texts.hexdigest()}
        return {**self._inputs_of_teacher(row), "texts": texts}

    def _config(self, row, target_names=(), **changes):
        return _row_config(self.config, row, target_names, **changes)

    def _folder(self, kind, row):
        name = f"{row.source}__{row.transfer}__{row.student}"
        return self.folder.path / kind / recipe.slug(name)


def _row_config(config, row, target_names=(), **changes):
    """The settings of a row, and of targets if there are any."""
    settings = {
        "source": row.source,
        "student": row.student,
        "transfer": row.transfer,
    }
    if row.transfer == OWN:
        # The other settings of transfer texts mean nothing then.
        settings |= defaults(_OF_TEXTS)
    if target_names:
        # With the semicolon, commas are parts of names.
        settings["targets"] = ";".join([*target_names, ""])
    else:
        settings |= defaults(OF_TARGETS)
    names = [row.source, *target_names]
    for folder, reads in (("glue_dir", reads_glue), ("data_dir", reads_data)):
        if not reads(names, config):
            settings[folder] = None
    kept = {**vars(config), **settings}
    if all(kept[name] is None for name in ("glue_dir", "data_dir", "transfer")):
        # Nothing is read from files.
        settings |= defaults(_OF_FILES)
    return dataclasses.replace(config, **settings, **changes)


def _known_teacher(path, teacher):
    """The teacher of a row as its folder names it, or its path.

    The study may have been moved, or be named by another path, since.
    """
    settings = io.read_json(path / "config.json") or {}
    known = str(settings.get("teacher"))
    is_same = pathlib.Path(known).parts[-3:] == teacher.parts[-3:]
    return known if is_same else str(teacher)


def defaults(names):
    """The defaults of some settings."""
    return {name: _FIELDS[name].default for name in names}


def row_name(row, rows):
    """What tells a row from the others: what differs, or its source."""
    differing = [
        getattr(row, field.name)
        for field in dataclasses.fields(Row)
        if len({getattr(other, field.name) for other in rows}) > 1
    ]
    return ", ".join(differing or [row.source])


def build_parser():
    """A parser with the study's options and those of the recipe."""
    parser = recipe_parser(
        "recipes.xtremedistil.study",
        "Distils the same student on several source tasks, from "
        "several sets of unlabelled texts, or students of several sizes; "
        "fine-tunes each on several targets; ranks them and draws the heat "
        "map. Done parts are kept: the same command goes on, and another "
        "source or target adds to what is there; other settings, another "
        "teacher and other data are refused.",
        "runs/xtremedistil-study",
        Config,
        without=(*_SET_BY_STUDY, *_OF_DATA),
    )
    for name, what in (("sources", "source"), ("targets", "target")):
        parser.add_argument(
            f"--{name}",
            action=Once,
            required=True,
            help=f"{what} tasks, by commas",
        )
    parser.add_argument(
        "--transfers",
        action=Once,
        default=OWN,
        help="files or folders of unlabelled texts, by commas, and 'own' for "
        "the source's training texts (default: %(default)s)",
    )
    parser.add_argument(
        "--students",
        action=Once,
        help="student sizes, by commas (default: --student)",
    )
    return parser


def main(arguments=None):
    """Runs a study from the command line; returns its exit status."""
    options = vars(build_parser().parse_args(arguments))
    asked = {
        name: options.pop(name) or ""
        for name in ("sources", "targets", "transfers", "students")
    }
    how = {name: options.pop(name) for name in ("run_dir", "quiet", "resume")}

    def run_study():
        names = {name: split_names(text, name) for name, text in asked.items()}
        texts = [name for name in names["transfers"] if name != OWN]
        if not names["sources"] or not names["targets"]:
            raise ValueError(
                "A study needs sources and targets. Received: "
                f"--sources {asked['sources']!r} --targets {asked['targets']!r}"
            )
        config = Config(
            source=names["sources"][0],
            targets=";".join([*names["targets"], ""]),
            transfer=texts[0] if texts else None,
            **options,
        )
        return run(
            config,
            how["run_dir"],
            *names.values(),
            quiet=how["quiet"],
            command="python -m recipes.xtremedistil.study "
            + shlex.join(sys.argv[1:]),
            resume=how["resume"],
        )

    return exit_status("recipes.xtremedistil.study", how["run_dir"], run_study)


if __name__ == "__main__":
    sys.exit(main())
