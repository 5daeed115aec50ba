"""A run where the system has no `fcntl` and the terminal no Unicode."""

import os
import pathlib
import subprocess
import sys

RUN = """
import sys

sys.modules["fcntl"] = None  # As where it does not exist.
import keras
import keras_distill
from keras_distill import stages
from tests.stages import tiny_run

keras.utils.set_random_seed(3)
teacher, student = tiny_run.make_model(8), tiny_run.make_model(6)
listed = tiny_run.make_stages(
    tiny_run.make_data(16), teacher, student, epochs=1,
    compile_options={"run_eagerly": True},
)
for stage in listed:
    # No Windows console shows it.
    stage.name += "-Größe"
    if stage.keep != "last":
        stage.keep.measure = lambda: {"accuracy": 0.5}
stages.run_stages(listed, sys.argv[1])
model = listed[1].build()
model.fit(tiny_run.make_data(16).batches(8), epochs=1)
"""


def test_a_run_without_fcntl_on_an_ascii_terminal(tmp_path):
    root = pathlib.Path(__file__).resolve().parents[1]
    environment = {
        **os.environ,
        "PYTHONPATH": str(root),
        "PYTHONIOENCODING": "ascii",
    }
    script = tmp_path / "script.py"
    script.write_text(RUN, encoding="utf-8")
    run_dir = tmp_path / "run"
    done = subprocess.run(
        [sys.executable, "-X", "warn_default_encoding", script, run_dir],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        timeout=300,
    )
    shown = done.stdout.decode("ascii")
    assert done.returncode == 0, done.stderr.decode()
    assert "Stage 'hidden-Gr\\xf6\\xdfe' begins: 1 epochs, 2 steps" in shown
    assert "Match plan:" in shown
    own = str(root / "keras_distill")
    warned = [
        line
        for line in done.stderr.decode().splitlines()
        if "EncodingWarning" in line and line.startswith(own)
    ]
    assert not warned
    log = (run_dir / "log.txt").read_text(encoding="utf-8")
    assert "Stage 'hidden-Größe' begins" in log
