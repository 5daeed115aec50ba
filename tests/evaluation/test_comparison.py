import dataclasses
import io
import json
import math

import pytest
from rich import console


def test_row_by_name(make_comparison):
    comparison = make_comparison()
    assert comparison.row("student") is comparison.rows[2]
    with pytest.raises(ValueError, match="Received: name='expert'"):
        comparison.row("expert")


def test_to_dict_survives_json(make_comparison):
    found = make_comparison().to_dict()
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert found["rows"][2]["parameters"]["encoder"] == 626_236
    assert found["rows"][2]["ratios"]["latency"] == 9.1


def test_to_dict_turns_nan_into_none(make_comparison):
    comparison = make_comparison()
    row = dataclasses.replace(comparison.rows[0], agreement=math.nan)
    comparison = dataclasses.replace(comparison, rows=(row,))
    assert comparison.to_dict()["rows"][0]["agreement"] is None


def test_markdown_has_a_model_a_column(make_comparison):
    lines = make_comparison().to_markdown().splitlines()
    assert lines[0] == "| | teacher | baseline | student |"
    assert lines[1] == "| --- | ---: | ---: | ---: |"
    assert "| accuracy, % | 90.0 | 80.0 | 88.2 |" in lines
    assert "| encoder weights, count | 10.65 M | 626.2 k | 626.2 k |" in lines
    assert "| encoder compression, times | 1.0× | 17.0× | 17.0× |" in lines
    assert "| throughput, batch 32, examples/s | 102 | 698 | 1,708 |" in lines
    assert {line.count("|") for line in lines} == {5}


def test_markdown_shows_a_dash_for_what_is_not_known(make_comparison):
    table = make_comparison(kept=(None, math.nan, 0.98)).to_markdown()
    assert "| kept of teacher's accuracy, % | – | – | 98.0 |" in table


def test_markdown_escapes_pipes_in_names(make_comparison):
    table = make_comparison(names=("a|b", "c", "d")).to_markdown()
    assert "| | a\\|b | c | d |" in table


def test_terminal_table_fits_in_80_columns(make_comparison):
    terminal = console.Console(width=80, file=io.StringIO())
    terminal.print(make_comparison().table())
    text = terminal.file.getvalue()
    assert "reviews, 872 examples" in text
    assert "latency p95, batch 1" in text
    assert "31.00" in text
