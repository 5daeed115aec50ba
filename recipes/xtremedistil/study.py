"""Which source task, transfer texts and student size transfer best?

`python -m recipes.xtremedistil.study --sources ... --targets ...`
"""

import dataclasses
import itertools
import shlex
import sys

from keras_distill import io
from keras_distill import stages
from keras_distill import teachers
from keras_distill.saving import check_names_free
from keras_distill.saving import local_path
from recipes.common.command_line import RecipeParser
from recipes.common.command_line import add_run_options
from recipes.common.command_line import exit_status
from recipes.common.devices import begin_strategy
from recipes.common.options import Once
from recipes.common.options import add_options
from recipes.common.training import FINE_TUNING
from recipes.xtremedistil import heat_map
from recipes.xtremedistil import recipe
from recipes.xtremedistil import tables
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
):
    """Distils on every source and fine-tunes each student on every target.

    Rows with a source in common share its teacher; with the transfer texts in
    common as well, the teacher's logits. Beside them stands the student of
    each size without distillation. Each part is a run folder, which a second
    call takes if it is done, or goes on with.

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
    folder = local_path(run_dir)
    if not any(folder.glob("teachers/*/lock")):
        check_names_free(folder, _LEAVES, "study")
    study = _Study(config, folder, quiet)
    study.check(rows, target_names)
    found = rank(study.run(rows, target_names), START)
    found["command"] = command
    table = heat_map.to_markdown(found)
    tables.write_json(folder / "study.json", found)
    tables.write(folder / "study.md", table)
    heat_map.draw(found, folder / "study.png")
    console = io.make_console(soft_wrap=True, highlight=False)
    console.print(table)
    console.print(f"Heat map: {folder / 'study.png'}")
    return found


class _Study:
    def __init__(self, config, folder, quiet):
        self.config = config
        self.folder = folder
        self.quiet = quiet
        self._console = io.make_console(soft_wrap=True, highlight=False)

    def check(self, rows, target_names):
        """Raises on what any part would fail on, before the first one."""
        sources = dict.fromkeys(row.source for row in rows)
        check_folders([*sources, *target_names], self.config)
        if all(row.transfer == OWN for row in rows):
            # Else settings of texts would be left out without a word.
            dataclasses.replace(self.config, transfer=None)
        configs = [self._config(row, target_names) for row in rows]
        # Before all models, since a strategy sets up the devices.
        begin_strategy(self.config.strategy)
        checks = Checks(self.quiet)
        for config in configs:
            checks.check(config)

    def run(self, rows, target_names):
        """Distils and fine-tunes.

        Returns:
            list of `Scored`.
        """
        sizes = dict.fromkeys(row.student for row in rows)
        left = iter(range(len(rows) + len(sizes), 0, -1))
        for row in rows:
            self._say(f"Distilling on {row_name(row, rows)}")
            self._distil(row)
        found = []
        for size in sizes:
            name = f"{START}, {size}" if len(sizes) > 1 else START
            self._say(f"{name} on the targets, {next(left)} rows left")
            # Its size and tokenizer are those of any of these students.
            start = next(row for row in rows if row.student == size)
            results = [
                self._cell(Row(START, OWN, size), start, targets.BASELINE, each)
                for each in target_names
            ]
            found.append(Scored(name, START, size, results))
        for row in rows:
            name = row_name(row, rows)
            self._say(f"{name} on the targets, {next(left)} rows left")
            results = [
                self._cell(row, row, targets.TRANSFERRED, target)
                for target in target_names
            ]
            found.append(Scored(name, row.source, row.student, results))
        return found

    def _distil(self, row):
        """Distils the student of a row from the teacher of its source."""
        teacher = recipe.train_teacher(
            self._config(Row(row.source, OWN, self.config.student)),
            self.folder / "teachers" / targets.slug(row.source),
            quiet=self.quiet,
        )
        path = self._folder("rows", row)
        if not (path / "result.json").is_file():
            recipe.run(
                self._config(
                    row, teacher=str(teacher), **defaults(FINE_TUNING)
                ),
                path,
                quiet=self.quiet,
                cache_dir=self.folder / "shared",
                logits_dir=self.folder
                / "shared"
                / targets.slug(f"{row.source}__{row.transfer}"),
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
        if row.source == START:
            # Nothing is distilled: the target is all there is.
            row = dataclasses.replace(row, source=target)
        config = self._config(row, [target], metric=None)
        scope = begin_strategy(config.strategy)
        with stages.RunFolder(
            path, dataclasses.asdict(config), quiet=self.quiet
        ) as folder:
            done = tables.read_json(path / "result.json")
            if done is not None:
                return done
            with scope:
                result = targets.transfer(
                    Trainer(config, folder, self.folder / "shared"),
                    target,
                    self._loader(start, target),
                    (kind,),
                )
            if folder.writes:
                tables.write_json(path / "result.json", result)
        return result

    def _loader(self, row, target):
        """What gives the distilled encoder of a row with a new head."""
        student = str(self._folder("rows", row) / "student")

        def load(num_classes, sequence_length):
            return teachers.load_teacher(
                student, num_classes, sequence_length, task_class_of(target)
            ).classifier

        return load

    def _config(self, row, target_names=(), **changes):
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
            if not reads(names, self.config):
                settings[folder] = None
        files = ("glue_dir", "data_dir", "transfer")
        kept = {**vars(self.config), **settings}
        if all(kept[name] is None for name in files):
            # Nothing is read from files.
            settings |= defaults(("skip_bad_rows", "encoding"))
        return dataclasses.replace(self.config, **settings, **changes)

    def _folder(self, kind, row):
        name = f"{row.source}__{row.transfer}__{row.student}"
        return self.folder / kind / targets.slug(name)

    def _say(self, line):
        if not self.quiet:
            self._console.print(f"Study: {line}")


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
        "source or target adds to what is there.",
    )
    add_run_options(parser, "runs/xtremedistil-study", with_resume=False)
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
        )

    return exit_status("recipes.xtremedistil.study", run_dir, run_study)


if __name__ == "__main__":
    sys.exit(main())
