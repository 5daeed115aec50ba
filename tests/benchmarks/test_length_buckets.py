"""The benchmark of length buckets runs and prints its ratio."""

import pytest

from tests.benchmarks import length_buckets


@pytest.mark.slow
def test_runs_on_a_few_rows(tmp_path, make_classifier, capsys):
    make_classifier().save_to_preset(tmp_path / "tokenizer")
    folder = tmp_path / "glue" / "SST-2"
    folder.mkdir(parents=True)
    rows = [f"{'film ' * (row % 9 + 1)}\t{row % 2}" for row in range(200)]
    (folder / "train.tsv").write_text("\n".join(["sentence\tlabel", *rows]))
    ratio = length_buckets.main(
        [
            *("--glue-dir", str(tmp_path / "glue")),
            *("--tokenizer", str(tmp_path / "tokenizer")),
            *("--steps", "2", "--runs", "1", "--examples", "150"),
        ]
    )
    printed = capsys.readouterr().out
    assert "sst2: 150 rows of 6.9 tokens on average" in printed
    assert "64 tokens" in printed
    assert f"Length buckets train {ratio:.2f} times as fast." in printed
