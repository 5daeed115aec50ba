"""What all recipes' commands have in common."""

import dataclasses
import importlib
import pathlib
import re
import shlex

import pytest

import recipes
from recipes import __main__ as all_recipes
from recipes.common.options import Options
from recipes.mobilebert.__main__ import build_parser as mobilebert
from recipes.mobilebert.config import Config as MobileBert
from recipes.mobilebert.fine_tuning import Config as FineTuning
from recipes.mobilebert.fine_tuning import build_parser as fine_tuning
from recipes.mt_dnn_kd.__main__ import build_parser as mt_dnn_kd
from recipes.mt_dnn_kd.config import Config as MtDnnKd
from recipes.tinybert.__main__ import build_parser as tinybert
from recipes.tinybert.augment import Config as Augment
from recipes.tinybert.augment import build_parser as augment
from recipes.tinybert.config import Config as TinyBert
from recipes.tinybert.general import build_parser as general
from recipes.tinybert.general_config import Settings as General
from recipes.tinybert.masked_lm import Config as MaskedLm
from recipes.tinybert.masked_lm import build_parser as masked_lm
from recipes.xtremedistil.__main__ import build_parser as xtremedistil
from recipes.xtremedistil.bilstm import Settings as BiLstm
from recipes.xtremedistil.bilstm import build_parser as bilstm
from recipes.xtremedistil.config import Config as XtremeDistil
from recipes.xtremedistil.error_propagation import Settings as ErrorPropagation
from recipes.xtremedistil.error_propagation import (
    build_parser as error_propagation,
)
from recipes.xtremedistil.study import SET_BY_STUDY
from recipes.xtremedistil.study import Settings as Study
from recipes.xtremedistil.study import build_parser as study

ROOT = pathlib.Path(recipes.__file__).parents[1]
CONFIGS = [
    *(TinyBert, General, Augment, MaskedLm),
    *(MobileBert, FineTuning, MtDnnKd),
    *(XtremeDistil, BiLstm, ErrorPropagation),
]
PARSERS = {
    "recipes.tinybert": (tinybert, TinyBert),
    "recipes.tinybert.general": (general, General),
    "recipes.tinybert.augment": (augment, Augment),
    "recipes.tinybert.masked_lm": (masked_lm, MaskedLm),
    "recipes.mobilebert": (mobilebert, MobileBert),
    "recipes.mobilebert.fine_tuning": (fine_tuning, FineTuning),
    "recipes.mt_dnn_kd": (mt_dnn_kd, MtDnnKd),
    "recipes.xtremedistil": (xtremedistil, XtremeDistil),
    "recipes.xtremedistil.study": (study, Study),
    "recipes.xtremedistil.bilstm": (bilstm, BiLstm),
    "recipes.xtremedistil.error_propagation": (
        error_propagation,
        ErrorPropagation,
    ),
}
OWN = ("run_dir", "quiet", "resume")


def fields(kind):
    """Of options that are numbers, texts, switches or one of a few."""
    return [
        pytest.param(config, field, id=f"{config.__module__}-{field.name}")
        for config in CONFIGS
        for field in config.__dataclass_fields__.values()
        if kind_of(field) == kind
    ]


def kind_of(field):
    if field.metadata["choices"] is not None:
        return "choice"
    annotation = getattr(field.type, "__args__", (field.type,))[0]
    return {int: "number", float: "number", bool: "switch", str: "text"}[
        annotation
    ]


@pytest.mark.parametrize(("config", "field"), fields("number"))
def test_numbers_have_a_range(config, field):
    bounds = field.metadata["range"]
    least = bounds["minimum"] if bounds["above"] is None else bounds["above"]
    # Nothing of a recipe can be less than 0.
    assert least is not None and least >= 0
    flag = "--" + field.name.replace("_", "-")
    values = [least - 1, -1, True, "3", float("nan"), float("inf"), [1]]
    if bounds["above"] is not None:
        values.append(least)
    if field.type in (int, int | None):
        values.append(least + 1.5)
    if field.type in (int, float):
        values.append(None)
    for bound in (bounds["maximum"], bounds["below"]):
        if bound is not None:
            values.append(bound + 1)
    for value in values:
        with pytest.raises(ValueError, match=f"{flag} must be a"):
            config(**{field.name: value})


@pytest.mark.parametrize(("config", "field"), fields("choice"))
def test_choices_are_checked_in_python_too(config, field):
    for value in ("none of them", "", 3, True):
        with pytest.raises(ValueError, match="must be one of"):
            config(**{field.name: value})


@pytest.mark.parametrize(("config", "field"), fields("switch"))
def test_switches_are_true_or_false(config, field):
    for value in ("false", 1, None):
        with pytest.raises(ValueError, match="must be True or False"):
            config(**{field.name: value})


@pytest.mark.parametrize(("config", "field"), fields("text"))
def test_texts_are_not_empty(config, field):
    for value in (" ", 3, True):
        with pytest.raises(ValueError, match="must be a text that is not empt"):
            config(**{field.name: value})


@pytest.mark.parametrize("config", [x for x in CONFIGS if x is not MaskedLm])
def test_an_option_that_would_do_nothing_is_refused(config):
    """All that is written beside the options, at values of their own."""
    other = {
        "transfer": "texts.txt",
        "transfer_columns": "0",
        "retrieve_balance": "equal",
        "text_column": "text",
        "label_column": "label",
        "id_column": "id",
        "soft_labels": "soft.jsonl",
        "kind": "regression",
        "label_separator": "|",
        "glue_dir": "glue",
        "encoding": "cp1252",
    }
    seen = 0
    for name, field in config.__dataclass_fields__.items():
        for condition in field.metadata["no_effect_with"]:
            value = other.get(name)
            if field.metadata["choices"] is not None:
                choices = field.metadata["choices"]
                value = next(one for one in choices if one != field.default)
            elif value is None and isinstance(field.default, bool):
                value = True
            elif value is None:
                value = (field.default or 1) * 2
            settings = dict(condition)
            known = config.__dataclass_fields__
            if any(
                v == 0 and known[k].metadata["range"]["minimum"]
                for k, v in settings.items()
                if k in known
            ):
                # It is refused for itself.
                continue
            flag = "--" + name.replace("_", "-")
            with pytest.raises(ValueError, match=f"{flag} has no effect with"):
                config(**settings, **{name: value})
            seen += 1
    assert seen


@pytest.mark.parametrize("config", [BiLstm, ErrorPropagation])
def test_options_of_another_recipe_are_refused(config, capsys):
    known = set(config.__dataclass_fields__)
    parser = next(build for build, one in PARSERS.values() if one is config)()
    others = set(XtremeDistil.__dataclass_fields__) - known
    assert {"targets", "schedule", "unfreezing"} <= others
    for name in others:
        with pytest.raises(TypeError, match="unexpected keyword argument"):
            config(**{name: 1})
        with pytest.raises(SystemExit):
            parser.parse_args(["--" + name.replace("_", "-"), "1"])
        assert "unrecognized arguments" in capsys.readouterr().err


@pytest.mark.parametrize("config", [TinyBert, XtremeDistil, BiLstm])
def test_encodings_are_known(config):
    settings = {"glue_dir": "glue"}
    if config is TinyBert:
        settings["task"] = "sst2"
    assert config(encoding="cp1252", **settings).encoding == "cp1252"
    with pytest.raises(ValueError, match="--encoding must be one that Python"):
        config(encoding="utf-99", **settings)


def test_paths_and_numpy_numbers_are_taken():
    np = pytest.importorskip("numpy")
    config = XtremeDistil(
        data_dir=pathlib.Path("some") / "where", seed=np.int64(3)
    )
    assert config.data_dir == str(pathlib.Path("some/where"))
    assert type(config.seed) is int


@pytest.mark.parametrize("name", PARSERS)
def test_help_names_every_default(name):
    build, config = PARSERS[name]
    # Lines are broken at hyphens as well.
    text = "".join(build().format_help().split())
    own = SET_BY_STUDY if config is Study else ()
    for field in dataclasses.fields(config):
        if field.name in own:
            continue
        assert "--" + field.name.replace("_", "-") in text
        assert "".join(field.metadata["help"].split()) in text
        if field.type is not bool and field.default not in (None, ""):
            assert f"(default:{field.default}" in text


@pytest.mark.parametrize("name", PARSERS)
def test_an_option_given_twice_is_refused(name, capsys):
    parser = PARSERS[name][0]()
    for twice in (
        ["--seed", "1", "--seed", "2"],
        ["--run-dir", "a", "--run-dir", "b"],
        ["--teacher", "a", "--teacher=b"],
    ):
        if twice[0] not in parser.format_help():
            continue
        with pytest.raises(SystemExit) as stop:
            parser.parse_args(twice)
        assert stop.value.code == 2
        assert (
            f"argument {twice[0]}: given twice, as" in capsys.readouterr().err
        )
    # The same once more loses nothing.
    found = parser.parse_args(["--seed", "4", "--seed", "4"])
    assert found.seed == 4
    assert "_given" not in vars(found)


def test_resume_and_no_resume_are_one_option(capsys):
    with pytest.raises(SystemExit):
        tinybert().parse_args(["--resume", "--no-resume"])
    assert "given twice" in capsys.readouterr().err


@pytest.mark.parametrize("name", PARSERS)
def test_a_misspelt_option_is_answered_with_the_right_one(name, capsys):
    for misspelt, meant in (
        ("--sequence_length", "--sequence-length"),
        ("--batchsize", "--batch-size"),
        ("--teacher-rat", "--teacher"),
    ):
        parser = PARSERS[name][0]()
        if meant not in parser.format_help():
            continue
        with pytest.raises(SystemExit):
            parser.parse_args([misspelt, "8"])
        error = capsys.readouterr().err
        assert "unrecognized arguments" in error
        assert f"did you mean '{meant}" in error


def test_a_run_needs_a_folder(capsys):
    with pytest.raises(SystemExit):
        tinybert().parse_args(["--run-dir", " "])
    assert "a folder must have a name" in capsys.readouterr().err


def test_all_recipes_are_listed(capsys):
    assert all_recipes.main([]) == 0
    text = capsys.readouterr().out
    for name in PARSERS:
        assert f"python -m {name} " in text
        assert hasattr(
            importlib.import_module(name)
            if name.count(".") > 1
            else importlib.import_module(f"{name}.__main__"),
            "main",
        )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["tinybert", "--task", "rte"],
            "python -m recipes.tinybert --task rte",
        ),
        (["xtremedistil.study"], "Use: python -m recipes.xtremedistil.study"),
        (["tinbert"], "There is no recipe 'tinbert'"),
    ],
)
def test_a_recipe_is_a_command_of_its_own(arguments, message, capsys):
    assert all_recipes.main(arguments) == 2
    assert message in capsys.readouterr().err


def commands():
    """The commands of recipes that the documentation and the Makefile show."""
    texts = [ROOT / "README.md", ROOT / "Makefile"]
    texts += [*ROOT.glob("recipes/*/README.md"), *ROOT.glob("docs/*.md")]
    for path in texts:
        text = path.read_text(encoding="utf-8").replace("\\\n", " ")
        for line in re.findall(r"-m (recipes\.[^\n`]*)", text):
            yield path.name, line.split("#")[0].strip()


@pytest.mark.parametrize(("path", "command"), commands())
def test_commands_that_are_shown_are_accepted(path, command):
    name, *arguments = shlex.split(command)
    build, config = PARSERS[name]
    if "--help" in arguments or not arguments and name.endswith("study"):
        return
    options = vars(build().parse_args(arguments))
    for own in OWN:
        options.pop(own, None)
    assert isinstance(config(**options), Options)
