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
from recipes.common.command_line import RecipeParser
from recipes.common.command_line import add_run_options
from recipes.common.command_line import exit_status
from recipes.common.devices import begin_strategy
from recipes.common.models import FINE_TUNING
from recipes.common.options import Once
from recipes.common.options import add_options
from recipes.xtremedistil import heat_map
from recipes.xtremedistil import inputs
from recipes.xtremedistil import recipe
from recipes.xtremedistil import targets
from recipes.xtremedistil.checks import Checks
from recipes.xtremedistil.checks import check_folders
from recipes.xtremedistil.checks import reads_data
from recipes.xtremedistil.checks import reads_glue
from recipes.xtremedistil.config import OF_TARGETS
from recipes.xtremedistil.config import Config
from recipes.xtremedistil.config import is_about_texts
from recipes.xtremedistil.config import split_names
from recipes.xtremedistil.labelled_task import task_class_of
from recipes.xtremedistil.ranking import Scored
from recipes.xtremedistil.ranking import rank
from recipes.xtremedistil.trainer import Trainer

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
# What the whole study's folder belongs to: its parts know their settings.
_STUDY = {"program": "recipes.xtremedistil.study"}
_FIELDS = {field.name: field for field in dataclasses.fields(Config)}


@dataclasses.dataclass(frozen=True)
class Row:
    """One distilled student of a study.

    Attributes:
        source: str. The task that it was distilled on.
        transfer: str. The file or folder of its unlabelled texts, or `OWN`.
        student: str. Its size.
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
        run_dir: Path of the study's folder.
        sources: sequence of str. Source tasks.
        target_names: sequence of str. Target tasks.
        transfers: sequence of str. Files or folders of unlabelled texts, and
            `"own"` for the source's training texts. Defaults to the latter.
        student_sizes: Optional sequence of str. Defaults to that of the
            configuration.
        quiet: bool. Whether to show nothing but the result.
        command: str. The command that was run, for the report.
        resume: bool. Whether to go on with the study that is there; otherwise
            it is renamed and a new one begins. Defaults to `True`.

    Returns:
        dict that JSON can hold, as `ranking.rank` returns it.
    """
    if student_sizes and config.student != _FIELDS["student"].default:
        raise ValueError(
            "--student has no effect with --students, which are all that "
            f"there are. Received: --student {config.student} and "
            f"{list(student_sizes)}"
        )
    rows = [
        Row(*names)
        for names in itertools.product(
            sources, transfers, student_sizes or (config.student,)
        )
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
    is_earlier = _is_of_an_earlier_version(path)
    if not is_earlier and not (path / "run.json").is_file():
        check_names_free(path, _LEAVES, "study")
    checks = _check(config, rows, target_names, quiet)
    if is_earlier:
        io.write_json(path / "run.json", {"starts": []})
    with stages.RunFolder(path, _STUDY, resume, quiet) as folder:
        study = _Study(config, folder, checks)
        found = rank(study.run(rows, target_names), START)
        found["command"] = command
        table = heat_map.to_markdown(found)
        io.write_json(path / "study.json", io.plain(found))
        io.write_text(path / "study.md", table)
        heat_map.draw(found, path / "study.png")
    console = io.make_console(soft_wrap=True, highlight=False)
    console.print(table)
    console.print(f"Heat map: {path / 'study.png'}")
    return found


def _is_of_an_earlier_version(path):
    """Whether a folder is a study that kept no record but of its parts."""
    return not (path / "run.json").is_file() and any(
        path.glob("teachers/*/lock")
    )


def _check(config, rows, target_names, quiet):
    """Raises on what any part would fail on, before the first one.

    Returns:
        `Checks` that know the tasks and the teachers.
    """
    sources = dict.fromkeys(row.source for row in rows)
    _check_folder_names("sources", sources)
    _check_folder_names("targets", target_names)
    _check_folder_names("transfers", (row.transfer for row in rows))
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


def _check_folder_names(option, names):
    """Raises on names whose parts would be taken for each other's."""
    known = {}
    for name in names:
        other = known.setdefault(targets.slug(name), name)
        if other != name:
            raise ValueError(
                f"--{option} must be names that differ in letters or digits, "
                "which the folders of the study are named by. Received: "
                f"{other!r} and {name!r}. Rename one of them, or give it to "
                "a study in another folder."
            )


class _Study:
    def __init__(self, config, folder, checks):
        self.config = config
        self.folder = folder
        self.checks = checks

    def run(self, rows, target_names):
        """Distils and fine-tunes.

        Returns:
            list of `Scored`.
        """
        sizes = dict.fromkeys(row.student for row in rows)
        left = iter(range(len(rows) + len(sizes), 0, -1))
        for row in rows:
            self.folder.say(f"Study: Distilling on {row_name(row, rows)}")
            self._distil(row)
        found = []
        for size in sizes:
            name = f"{START}, {size}" if len(sizes) > 1 else START
            self._announce(name, next(left))
            # Its size and tokenizer are those of any of these students.
            start = next(row for row in rows if row.student == size)
            results = [
                self._cell(Row(START, OWN, size), start, targets.BASELINE, each)
                for each in target_names
            ]
            found.append(Scored(name, START, size, results))
        for row in rows:
            name = row_name(row, rows)
            self._announce(name, next(left))
            results = [
                self._cell(row, row, targets.TRANSFERRED, target)
                for target in target_names
            ]
            found.append(Scored(name, row.source, row.student, results))
        return found

    def _announce(self, name, left):
        self.folder.say(f"Study: {name} on the targets, {left} rows left")

    def _distil(self, row):
        """Distils the student of a row from the teacher of its source."""
        quiet = self.folder.quiet
        teacher = recipe.train_teacher(
            self._config(Row(row.source, OWN, self.config.student)),
            self.folder.path / "teachers" / targets.slug(row.source),
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
            logits_dir=shared / targets.slug(f"{row.source}__{row.transfer}"),
            settings=settings,
            inputs=found,
        )

    def _cell(self, row, start, kind, target):
        """A row's result on one target, or what an earlier run found.

        Args:
            row: `Row`.
            start: `Row` whose student is loaded.
            kind: str. The row of `targets` that is made.
            target: str.
        """
        path = self._folder("cells", row) / targets.slug(target)
        found = {"target": self.checks.task_inputs[target]}
        if kind == targets.BASELINE:
            found["encoder"] = self.checks.teacher_inputs[start.source][
                "encoder"
            ]
        else:
            found |= self._inputs_of_student(row)
        if row.source == START:
            # Nothing is distilled: the target is all there is.
            row = dataclasses.replace(row, source=target)
        config = self._config(row, [target], metric=None)
        scope = begin_strategy(config.strategy)
        with stages.RunFolder(
            path,
            dataclasses.asdict(config),
            quiet=self.folder.quiet,
            inputs=found,
        ) as folder:
            done = io.read_json(path / "result.json")
            if done is not None:
                return done
            with scope:
                result = targets.transfer(
                    Trainer(config, folder, self.folder.path / "shared"),
                    target,
                    self._loader(start, target),
                    (kind,),
                )
            if folder.writes:
                io.write_json(path / "result.json", io.plain(result))
        return result

    def _loader(self, row, target):
        """What gives the distilled encoder of a row with a new head."""
        student = str(self._folder("rows", row) / "student")

        def load(num_classes, sequence_length):
            return teachers.load_teacher(
                student, num_classes, sequence_length, task_class_of(target)
            ).classifier

        return load

    def _inputs_of_teacher(self, row):
        """What the teacher of a row depends on beside its settings."""
        return {
            "source": self.checks.task_inputs[row.source],
            "teacher": self.checks.teacher_inputs[row.source]["teacher"],
        }

    def _inputs_of_student(self, row):
        """What the student of a row depends on beside its settings."""
        return {
            **self._inputs_of_teacher(row),
            "texts": inputs.of_texts(self._config(row), self.folder.hash_of),
        }

    def _config(self, row, target_names=(), **changes):
        return _row_config(self.config, row, target_names, **changes)

    def _folder(self, kind, row):
        name = f"{row.source}__{row.transfer}__{row.student}"
        return self.folder.path / kind / targets.slug(name)


def _row_config(config, row, target_names=(), **changes):
    """The settings of a row, and of targets if there are any."""
    settings = {
        "source": row.source,
        "student": row.student,
        "transfer": row.transfer,
    }
    if row.transfer == OWN:
        # The other settings of transfer texts mean nothing then.
        settings |= defaults(filter(is_about_texts, _FIELDS))
    if target_names:
        # With the semicolon, commas are parts of names.
        settings["targets"] = ";".join([*target_names, ""])
    else:
        settings |= defaults(OF_TARGETS)
    names = [row.source, *target_names]
    for folder, reads in (
        ("glue_dir", reads_glue),
        ("data_dir", reads_data),
    ):
        if not reads(names, config):
            settings[folder] = None
    files = ("glue_dir", "data_dir", "transfer")
    kept = {**vars(config), **settings}
    if all(kept[name] is None for name in files):
        # Nothing is read from files.
        settings |= defaults(("skip_bad_rows", "encoding"))
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
    """The defaults of some settings.

    Args:
        names: iterable of str. Fields of `Config`.

    Returns:
        dict of name to value.
    """
    return {name: _FIELDS[name].default for name in names}


def row_name(row, rows):
    """What tells a row from the others.

    Args:
        row: `Row`.
        rows: list of all `Row`s.

    Returns:
        str. Those of its attributes that differ among rows, or its source.
    """
    fields = [field.name for field in dataclasses.fields(Row)]
    differing = [
        getattr(row, name)
        for name in fields
        if len({getattr(other, name) for other in rows}) > 1
    ]
    return ", ".join(differing or [row.source])


def build_parser():
    """A parser with the study's options and those of the recipe."""
    parser = RecipeParser(
        prog="python -m recipes.xtremedistil.study",
        description="Distils the same student on several source tasks, from "
        "several sets of unlabelled texts, or students of several sizes; "
        "fine-tunes each on several targets; ranks them and draws the heat "
        "map. Done parts are kept: the same command goes on, and another "
        "source or target adds to what is there; other settings, another "
        "teacher and other data are refused.",
    )
    add_run_options(parser, "runs/xtremedistil-study")
    parser.add_argument(
        "--sources", action=Once, required=True, help="source tasks, by commas"
    )
    parser.add_argument(
        "--targets", action=Once, required=True, help="target tasks, by commas"
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
    add_options(parser, Config, without=_SET_BY_STUDY)
    return parser


def main(arguments=None):
    """Runs a study from the command line.

    Args:
        arguments: Optional list of str. Defaults to the process's own.

    Returns:
        int. The exit status, as that of the recipe.
    """
    options = vars(build_parser().parse_args(arguments))
    asked = {
        name: options.pop(name) or ""
        for name in ("sources", "targets", "transfers", "students")
    }
    run_dir, quiet = options.pop("run_dir"), options.pop("quiet")
    resume = options.pop("resume")

    def run_study():
        names = {name: split_names(text, name) for name, text in asked.items()}
        texts = [name for name in names["transfers"] if name != OWN]
        if not names["sources"] or not names["targets"]:
            raise ValueError(
                "A study needs sources and targets. Received: "
                f"--sources {asked['sources']!r} --targets {asked['targets']!r}"
            )
        return run(
            Config(
                source=names["sources"][0],
                targets=";".join([*names["targets"], ""]),
                transfer=texts[0] if texts else None,
                **options,
            ),
            run_dir,
            names["sources"],
            names["targets"],
            names["transfers"],
            names["students"],
            quiet,
            "python -m recipes.xtremedistil.study " + shlex.join(sys.argv[1:]),
            resume,
        )

    return exit_status("recipes.xtremedistil.study", run_dir, run_study)


if __name__ == "__main__":
    sys.exit(main())
