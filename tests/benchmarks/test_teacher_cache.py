"""The benchmark of the teacher's cache runs and prints its ratio."""

import pytest

from tests.benchmarks import teacher_cache


@pytest.mark.slow
def test_runs_on_a_few_rows(tmp_path, capsys):
    folder = tmp_path / "SST-2"
    folder.mkdir()
    rows = [f"{'film ' * (row % 9 + 1)}\t{row % 2}" for row in range(60)]
    (folder / "train.tsv").write_text("\n".join(["sentence\tlabel", *rows]))
    ratio = teacher_cache.main(
        [
            *("--glue-dir", str(tmp_path), "--examples", "40"),
            *("--teacher", "1", "16", "--student", "1", "8"),
            *("--length", "12", "--batch-size", "8", "--runs", "1"),
        ]
    )
    printed = " ".join(capsys.readouterr().out.split())
    assert f"takes {ratio:.2f} times as long as plain training." in printed
    assert "MB more memory than a tenth of them." in printed
