"""Runs stages in order, or the rest of them."""

import contextlib
import signal
import sys
import threading

from keras_distill.checks.arguments import SEED
from keras_distill.checks.arguments import check_float
from keras_distill.checks.arguments import check_number
from keras_distill.stages.checkpoints import seed_put_back
from keras_distill.stages.identity import data_identity
from keras_distill.stages.run_folder import RunFolder
from keras_distill.stages.stage_run import StageRun


def run_stages(
    stages,
    run_dir,
    config=None,
    seed=0,
    checkpoint_every=60.0,
    resume=True,
    quiet=False,
):
    """Runs stages in order, or the rest of them, and keeps all in a folder.

    A run may be killed at any moment. Called again with the same stages and
    the same folder, it goes on from the last checkpoint and ends with the
    very weights that it would have ended with: on one machine, with the same
    versions, bit for bit. Models must be built the same way each time; their
    values are in the folder. What of it is due to TensorFlow, and what a GPU
    needs, is told in docs/stages.md.

    Ctrl-C and SIGTERM finish the batch, save and raise `Interrupted`, which
    says how to go on.

    Args:
        stages: list of `Stage`. A student may go through several.
        run_dir: Path of the run's folder, see `RunFolder`; or a `RunFolder`.
        config: Optional dict that JSON can hold: all that the results depend
            on. A folder with another one is refused. Not with a `RunFolder`,
            which has its own.
        seed: int. Each stage begins with this seed. Defaults to `0`.
        checkpoint_every: float. Seconds between two checkpoints within an
            epoch; 0 writes one after each batch. Each epoch ends with one
            anyway. Defaults to `60.0`.
        resume: bool. Whether to go on with the run that is there; see
            `RunFolder`. Defaults to `True`.
        quiet: bool. Whether to show nothing. Defaults to `False`.

    Returns:
        dict of the name of each stage to its `StageResult`.

    Raises:
        ValueError: If the folder holds another run, is in use, or is
            damaged.
        Interrupted: After Ctrl-C or SIGTERM.
        OSError: If the disk is full. The last checkpoint stays.

    Example:

    ```python
    import keras
    import keras_hub
    from keras_distill import losses
    from keras_distill import stages
    from keras_distill import tasks

    tokenizer = keras_hub.models.BertTokenizer(
        ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "good", "bad"]
    )


    def classifier(num_layers, hidden_dim):
        backbone = keras_hub.models.BertBackbone(
            vocabulary_size=7, num_layers=num_layers, num_heads=2,
            hidden_dim=hidden_dim, intermediate_dim=2 * hidden_dim,
        )
        return keras_hub.models.BertTextClassifier(backbone, num_classes=2)


    teacher, student = classifier(2, 8), classifier(1, 4)
    train = tasks.TokenizedExamples(
        tasks.Examples((["good", "bad"] * 8,), [1, 0] * 8), tokenizer, 8
    )
    common = dict(
        student=student, train=train, teacher=teacher, student_loss_weight=0,
        optimizer=lambda steps: keras.optimizers.AdamW(1e-3), batch_size=4,
    )
    results = stages.run_stages(
        [
            stages.Stage(
                "intermediate",
                distillation_losses=[
                    losses.HiddenStatesDistillation(),
                    losses.AttentionDistillation(),
                ],
                epochs=2,
                **common,
            ),
            stages.Stage(
                "prediction",
                distillation_losses=losses.LogitsDistillation(),
                epochs=1,
                **common,
            ),
        ],
        run_dir="runs/mine",
        config={"learning_rate": 1e-3},
        quiet=True,
    )
    print(results["prediction"].history["loss"])
    ```
    """
    _check_names(stages)
    check_number("seed", seed, SEED)
    check_float("checkpoint_every", checkpoint_every, minimum=0)
    with contextlib.ExitStack() as stack:
        folder = run_dir
        if not isinstance(run_dir, RunFolder):
            folder = stack.enter_context(
                RunFolder(run_dir, config, resume, quiet)
            )
        elif config is not None:
            raise ValueError(
                "`config` is for a folder given as a path; this one has its "
                f"own already. Received: config={config!r}"
            )
        request = stack.enter_context(StopRequest(folder.quiet))
        is_seeded = stack.enter_context(seed_put_back())
        # Before anything is trained: what is trained on may count its calls.
        data = {
            id(stage.train): data_identity(stage.train, folder.hash_of)
            for stage in {id(stage.train): stage for stage in stages}.values()
        }
        results = {}
        for stage in stages:
            run = StageRun(
                stage,
                folder,
                seed,
                data[id(stage.train)],
                is_seeded,
                checkpoint_every,
                request,
            )
            results[stage.name] = run.run()
            if request.is_made:
                request.interrupt(
                    f"Stopped after stage '{stage.name}', which is saved in "
                    f"{folder.path}. The same command goes on from there: "
                    f"{folder.command}"
                )
        return results


def _check_names(stages):
    names = [stage.name for stage in stages]
    # Folders of Windows and macOS are the same in any case.
    folders = [name.casefold() for name in names]
    doubled = sorted(
        {name for name in names if folders.count(name.casefold()) > 1}
    )
    if doubled:
        raise ValueError(
            "Each stage must have a name of its own, which differs in more "
            f"than upper and lower case. Received twice: {', '.join(doubled)}"
        )


class Interrupted(KeyboardInterrupt):
    """A run was stopped from outside, with everything saved.

    Its message says where, and how to go on.

    Args:
        message: str.
        signal_number: int. The signal that came.

    Attributes:
        exit_code: int. What a program ends with that stops for that signal:
            130 for Ctrl-C.
    """

    def __init__(self, message, signal_number=signal.SIGINT):
        super().__init__(message)
        self.exit_code = 128 + int(signal_number)


class StopRequest:
    """Notes the first Ctrl-C or SIGTERM while its block runs."""

    def __init__(self, quiet=False):
        self.signal_number = None
        self._quiet = quiet
        self._before = {}

    def __enter__(self):
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                # None: not set from Python, and not to be put back by it.
                if signal.getsignal(number) not in (signal.SIG_IGN, None):
                    self._before[number] = signal.signal(number, self._note)
        return self

    @property
    def is_made(self):
        """Whether a signal came."""
        return self.signal_number is not None

    def interrupt(self, message):
        """Raises `Interrupted` for the signal that came."""
        raise Interrupted(message, self.signal_number)

    def __exit__(self, *error):
        self._put_back()

    def _note(self, number, frame):
        self.signal_number = number
        self._put_back()
        if not self._quiet:
            # The terminal may be gone, which is why the signal came.
            with contextlib.suppress(AttributeError, OSError, ValueError):
                print(
                    "\nStopping after this batch. Once more stops at once, "
                    "and loses what was done since the last checkpoint.",
                    file=sys.stderr,
                    flush=True,
                )

    def _put_back(self):
        while self._before:
            signal.signal(*self._before.popitem())
