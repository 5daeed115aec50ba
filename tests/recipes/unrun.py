"""What the settings of a pre-training come to, without any training."""

import contextlib
import hashlib
import types

from keras_distill import corpora
from keras_distill import stages


def built_once(make, names):
    """A function that makes a model for a config, once for equal settings.

    Args:
        make: function of a config, and of whatever else.
        names: sequence of str. The options by which models differ.
    """
    made = {}

    def build(config, *arguments, **options):
        key = tuple(getattr(config, name) for name in names)
        if key not in made:
            made[key] = make(config, *arguments, **options)
        return made[key]

    return build


@contextlib.contextmanager
def unrun(monkeypatch, folder, path):
    """A context in which stages are looked at and not run.

    Args:
        monkeypatch: pytest's.
        folder: `pathlib.Path`. The current folder within.
        path: `pathlib.Path`. Where a run would write.

    Yields:
        A monkeypatch that ends with the context, what stands for the run's
        folder, and a list of what was seen, which grows.
    """
    seen = []
    tokenize_corpus = corpora.tokenize_corpus

    def tokenize(*arguments):
        seen.append(list(map(str, arguments[3:6])))
        return tokenize_corpus(*arguments)

    def run_stages(listed, run_folder, seed):
        del run_folder
        for stage in listed:
            backbone = stage.student.backbone
            weights = [w.numpy().tobytes() for w in stage.student.weights]
            # A name is another one for each model.
            config = {**backbone.get_config(), "name": None}
            seen.append(
                (
                    stage.describe(),
                    stage.train.fingerprints(),
                    hashlib.sha256(b"".join(weights)).hexdigest(),
                    backbone.dtype_policy.name,
                    str(config),
                    seed,
                )
            )
        return {}

    run_folder = types.SimpleNamespace(
        path=path,
        quiet=True,
        say=lambda *_: None,
        hash_of=lambda file: file.read_bytes().hex(),
        writes=False,
    )
    with monkeypatch.context() as patch:
        patch.chdir(folder)
        patch.setattr(corpora, "tokenize_corpus", tokenize)
        patch.setattr(stages, "run_stages", run_stages)
        yield patch, run_folder, seen
