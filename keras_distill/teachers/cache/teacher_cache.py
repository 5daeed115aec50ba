"""A teacher's features on disk, computed once."""

from keras_distill.checks.model_of import model_of
from keras_distill.data import text_hashes
from keras_distill.features import names
from keras_distill.io.progress import Progress
from keras_distill.io.saving import local_path
from keras_distill.teachers.cache.cached_targets import TARGET_PREFIX
from keras_distill.teachers.cache.cached_targets import CachedTargets
from keras_distill.teachers.cache.contents import Contents
from keras_distill.teachers.cache.fingerprint import architecture
from keras_distill.teachers.cache.fingerprint import row_fingerprints
from keras_distill.teachers.cache.fingerprint import weights_fingerprint
from keras_distill.teachers.cache.sources import EnsembleSource
from keras_distill.teachers.cache.sources import ModelSource
from keras_distill.teachers.cache.sources import SoftLabelSource
from keras_distill.teachers.cache.sources import is_tokenized
from keras_distill.teachers.cache.writing import Settings
from keras_distill.teachers.cache.writing import check_examples
from keras_distill.teachers.cache.writing import check_labels
from keras_distill.teachers.cache.writing import write_cache
from keras_distill.teachers.checks import check_label_order
from keras_distill.teachers.ensembles import TeacherEnsemble


class TeacherCache:
    """A teacher's features on disk, computed once.

    `TeacherCache.write` runs a teacher over examples and keeps what it
    computes; `TeacherCache(path)` opens what was written. `attach` adds the
    features to the batches of the examples, in whatever order they are
    shuffled, so that the teacher itself is not needed to train a student.

    Each example is found by its id, an int or a string, and told by a hash of
    its raw text: answers to whole texts teach students of any tokenizer. What
    there is for each token, such as hidden states, is for the same tokens
    only. Values at padding are not kept; they are read as 0. A cache is
    refused if it is not finished, if it was altered in any byte, or if it is
    used with a teacher or with examples other than its own.

    Its files are safetensors, which other tools read too.

    Args:
        path: Path of the folder that `write` made.
        teacher: Optional `keras.Model`, or `TeacherEnsemble`. If given, it
            must be the teacher that the cache was made with.

    Attributes:
        path: `pathlib.Path` of the folder.
        description: `keras_distill.features.ModelDescription` of the teacher
            with the features that the cache holds.
        features: tuple of str. Their names.
        label_names: tuple of str, what the logits stand for by class index,
            or `None` if that was not known.
        members: tuple of str, the names of the models that were asked.
        task: str, the name of the task that tokenised the examples, or `None`.
        versions: dict of str to str, by which versions of keras_distill,
            Keras and KerasHub it was written, and on which backend.

    Raises:
        ValueError: If the folder holds no cache, or one that is not finished,
            damaged or another teacher's.

    Example:

    ```python
    import keras_hub
    import keras_distill
    from keras_distill import tasks
    from keras_distill import teachers

    tokenizer = keras_hub.models.BertTokenizer(
        ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "good", "dull", "film"],
        lowercase=True,
    )
    backbone = keras_hub.models.BertBackbone(
        vocabulary_size=8, num_layers=2, num_heads=2, hidden_dim=8,
        intermediate_dim=16, max_sequence_length=16,
    )
    teacher = keras_hub.models.BertTextClassifier(backbone, num_classes=2)
    examples = tasks.TokenizedExamples(
        tasks.Examples((["good film", "a dull film", "dull"],), [1, 0, 0]),
        tokenizer,
        sequence_length=16,
    )
    cache = teachers.TeacherCache.write(
        "cache", teacher, examples, features=["logits", "hidden_states.2"],
        dtype="float16",
    )
    print(cache.read(ids=[2, 0], length=5)["logits"])
    x, y = next(cache.attach(examples).iterate(batch_size=2, shuffle=True))
    print({name: value.shape for name, value in cache.features_of(x).items()})
    ```
    """

    def __init__(self, path, teacher=None):
        self.path = local_path(path)
        self._contents = Contents(self.path)
        self._manifest = self._contents.manifest
        self._index = self._contents.index
        origin = self._contents.origin
        self.description = self._manifest.describe(f"{origin.teacher} (cached)")
        self.features = tuple(self._manifest.shapes)
        names_of_labels = self._manifest.label_names
        self.label_names = names_of_labels and tuple(names_of_labels)
        self.members = tuple(origin.members)
        self.task = origin.task
        self.versions = dict(origin.versions)
        if teacher is not None:
            self.check_teacher(teacher)

    @classmethod
    def write(
        cls,
        path,
        teacher,
        examples,
        features=(names.LOGITS,),
        dtype="float32",
        top_k=None,
        shard_size=2048,
        batch_size=64,
        quiet=False,
        replace=False,
        label_names=None,
    ):
        """Runs a teacher over examples and keeps its features.

        Called again with the same arguments it goes on where it was stopped;
        at most the shard in work is lost. Several processes may be given the
        same call at once and share the work: each takes shards that no other
        one is at. The folder of another cache is refused.

        With `top_k`, of the `C` logits `z` of a prediction the `k` largest
        are kept and, for all others together,

        `r = log(1 / (C - k) * sum_{c not kept} exp(z_c))`

        They are read as logits of which the kept ones are exact and all
        others equal `r`. Their softmax gives the kept classes the teacher's
        own probabilities, and spreads the rest evenly over the others. That
        holds at temperature 1; at others it is an approximation.

        Args:
            path: Path of the folder to write to. Made if missing.
            teacher: `keras.Model` with features
                (`keras_distill.features.FeatureExtractor`). It is run in
                inference mode, no deeper than the features need. Or a
                `TeacherEnsemble`, which has logits alone: one member after
                the other is asked, and each one's own answers are kept as
                well, in folders of their own inside, where a run that was
                stopped finds them.
            examples: `keras_distill.tasks.TokenizedExamples`, each with its
                own id; or `Examples` as they are, which a teacher, or each
                member, tokenises by its own preprocessor.
            features: str or sequence of str. The names of features as
                `FeatureExtractor` takes them: `"logits"`, `"hidden_states.3"`,
                `"attention_scores"` (of all layers), ... Defaults to
                `("logits",)`.
            dtype: `"float32"`, `"float16"` or `"bfloat16"`: what a number is
                on disk. It is read as float32. Defaults to `"float32"`.
            top_k: Optional int. How many of the logits to keep. Defaults to
                `None`, which keeps all.
            shard_size: int. Examples in a file. Defaults to `2048`.
            batch_size: int. Examples that the teacher reads at once. Defaults
                to `64`.
            quiet: bool. Whether to show no progress. Defaults to `False`.
            replace: bool. Whether another cache that is there is renamed to
                `<path>-earlier-1` (or `-2`, ...) and a new one written.
                Defaults to `False`: it is refused.
            label_names: Optional sequence of str, what the logits stand for
                by class index. Defaults to what the teacher or the examples
                know.

        Returns:
            `TeacherCache`.

        Raises:
            ValueError: If an argument cannot be, the folder holds something
                else, or the teacher's values do not fit into `dtype`.
        """
        if isinstance(features, str):
            features = (features,)
        settings = Settings(
            tuple(features), dtype, top_k, shard_size, batch_size, label_names
        )
        check_examples(examples)
        if isinstance(teacher, TeacherEnsemble):
            source = EnsembleSource(teacher)
        else:
            known = getattr(teacher, "label_names", None)
            source = ModelSource(model_of(teacher), known)
        check_labels(source, examples, label_names)
        write_cache(
            local_path(path), source, examples, settings, quiet, replace
        )
        return cls(path)

    @classmethod
    def from_soft_labels(
        cls,
        path,
        soft_labels,
        examples,
        dtype="float32",
        shard_size=2048,
        quiet=False,
        replace=False,
    ):
        """Keeps what any other system said of examples as a teacher's logits.

        Each example has the row of `soft_labels` with its id; 7 and `"7"` are
        the same id. Probabilities are kept as logits whose softmax they are.
        Columns are put into the order of the examples' classes, where both
        have names.

        Args:
            path: Path of the folder to write to, as of `write`.
            soft_labels: `keras_distill.teachers.SoftLabels`, with a row for
                each example and no others, in any order.
            examples: `Examples` or `TokenizedExamples`, each with its own id.
            dtype: As of `write`. Defaults to `"float32"`.
            shard_size: int. Examples in a file. Defaults to `2048`.
            quiet: bool. Whether to show no progress. Defaults to `False`.
            replace: bool. As of `write`. Defaults to `False`.

        Returns:
            `TeacherCache` of `"logits"`.

        Raises:
            ValueError: An id that is missing, there twice, or none of the
                examples', or other label names than the examples'.
        """
        check_examples(examples)
        settings = Settings(dtype=dtype, shard_size=shard_size)
        source = SoftLabelSource(soft_labels, examples)
        write_cache(
            local_path(path), source, examples, settings, quiet, replace
        )
        return cls(path)

    def __len__(self):
        return self._manifest.num_examples

    def __reduce__(self):
        # Opened anew by whoever gets it.
        return type(self), (str(self.path),)

    def read(self, ids, length=None):
        """Reads the features of examples.

        Args:
            ids: Sequence of int or str. The examples' ids.
            length: Optional int. The length to pad to. Defaults to the
                longest of the examples.

        Returns:
            dict of feature name to float32 NumPy array, one row per example,
            0 at padding.

        Raises:
            ValueError: If an example is not in the cache, is longer than
                `length`, or its shard is damaged.
        """
        return self._contents.read(ids, length)

    def attach(self, examples, features=None):
        """Adds the features to the batches of examples.

        The arrays stand in each batch's `x` under names that begin with
        `keras_distill.teachers.TARGET_PREFIX`, in float32 and padded as the
        batch is. `features_of` takes them out again.

        Args:
            examples: `keras_distill.tasks.TokenizedExamples`: all that the
                cache was written for, or some of them, in any order.
            features: Optional str or sequence of str. The features to add.
                Defaults to all.

        Returns:
            `keras_distill.tasks.TokenizedExamples`.

        Raises:
            ValueError: If an example is not in the cache or has another text
                there, or other tokens where a feature has something for each;
                if a feature is not in the cache; or if the classes stand in
                another order.
        """
        check_examples(examples)
        if not is_tokenized(examples):
            raise ValueError(
                "`examples` must be tokenised, as by keras_distill.tasks."
                "TokenizedExamples, to have batches. Received: "
                f"{type(examples).__name__}."
            )
        if features is None:
            features = self.features
        elif isinstance(features, str):
            features = (features,)
        for name in features:
            self.description.shape(name)
        arrays = [
            array
            for feature in self._manifest.features
            if feature.name in features
            for array in feature.arrays
        ]
        self._check_rows(examples, any(array.token_axes for array in arrays))
        check_label_order(
            self.label_names,
            getattr(examples, "label_names", None),
            f"the cache in '{self.path}'",
        )
        return examples.with_targets(
            CachedTargets(
                self._contents.shards, self._index, arrays, self.fingerprint()
            )
        )

    def features_of(self, x):
        """Takes the features out of a batch.

        Args:
            x: dict. The inputs of a batch of what `attach` returned, as
                arrays or as tensors of the backend.

        Returns:
            dict of feature name to tensor, with the batch's `"padding_mask"`
            if it has one.

        Raises:
            ValueError: If the batch holds no features of this cache.
        """
        found = {}
        for feature in self._manifest.features:
            keys = [TARGET_PREFIX + array.name for array in feature.arrays]
            if all(key in x for key in keys):
                found[feature.name] = feature.join(
                    {
                        array.name: x[key]
                        for array, key in zip(feature.arrays, keys, strict=True)
                    }
                )
        if not found:
            raise ValueError(
                "The batch holds no features of the teacher's cache. Train "
                "on `cache.attach(examples)`. Received: a batch with "
                f"{', '.join(x)}."
            )
        if names.PADDING_MASK in x:
            found[names.PADDING_MASK] = x[names.PADDING_MASK]
        return found

    def check_teacher(self, teacher):
        """Raises unless a model is the teacher that the cache was made with.

        Args:
            teacher: `keras.Model`.

        Raises:
            ValueError: If its weights, the dtype it computes in, or other
                options of its layers differ, such as the activation.
        """
        members = self._manifest.members
        if not members:
            raise ValueError(
                f"The cache in '{self.path}' was made of soft labels, not by a "
                "model. Leave `teacher` out."
            )
        is_ensemble = isinstance(teacher, TeacherEnsemble)
        given = teacher.members if is_ensemble else [model_of(teacher)]
        if len(given) != len(members):
            raise ValueError(
                f"The cache in '{self.path}' was made with another teacher: "
                f"of {len(members)} members ({', '.join(self.members)}). "
                f"Received one of {len(given)}. Write a cache with this "
                "teacher, or use the one that it was made with."
            )
        for one, member in zip(given, members, strict=True):
            if not is_ensemble:
                self._check_model(one, member)
                continue
            with one.open() as model:
                self._check_model(model, member)

    def _check_model(self, model, member):
        """Raises unless a model is one that the manifest tells of."""
        if weights_fingerprint(model) != member["weights"]:
            raise ValueError(
                f"The cache in '{self.path}' was made with another teacher: "
                f"the weights of '{model.name}' differ. Write a cache with "
                "this teacher, or use the one that it was made with."
            )
        dtype = model.dtype_policy.name
        if dtype != member["dtype"]:
            raise ValueError(
                f"The cache in '{self.path}' was made in {member['dtype']}, "
                f"and '{model.name}' computes in {dtype}. Write a cache with "
                "this teacher."
            )
        known, now = member["architecture"], architecture(model)
        if known != now:
            differing = ", ".join(
                f"{name} {known.get(name)!r} there, {now[name]!r} here"
                for name in now
                if known.get(name) != now[name] and name != "layers"
            )
            raise ValueError(
                f"The cache in '{self.path}' was made with another teacher: "
                f"'{model.name}' has the same weights and computes "
                f"otherwise with them ({differing or 'options of layers'}). "
                "Write a cache with this teacher."
            )

    def fingerprint(self):
        """Tells this cache from any other, wherever it lies.

        Returns:
            str, a hash of what it holds, and of whom.
        """
        return self._manifest.identity

    def verify(self, quiet=False):
        """Reads all of the cache and checks it.

        Whatever is read later is checked, too; this is for those who want to
        know before, as after a copy.

        Args:
            quiet: bool. Whether to show no progress. Defaults to `False`.

        Raises:
            ValueError: If anything is damaged.
        """
        title = f"Checking '{self.path}'"
        with Progress(title, len(self), quiet=quiet) as progress:
            for number in range(self._manifest.num_shards):
                self._contents.shards.check(number)
                progress.advance(len(self._manifest.places(number)))

    def _check_rows(self, examples, has_tokens):
        """Raises if an example is not in the cache, or is another one."""
        places = self._index.places(examples.ids)
        differs = self._index.text_hashes[places] != text_hashes(examples)
        if differs.any():
            raise self._other_rows(examples, differs, "texts", "")
        if not has_tokens:
            return
        differs = self._index.token_hashes[places] != row_fingerprints(examples)
        if not differs.any():
            return
        member, reasons = self._manifest.members[0], []
        tokenizer = getattr(examples, "tokenizer_fingerprint", None)
        if None not in (tokenizer, member["tokenizer"]) and (
            tokenizer != member["tokenizer"]
        ):
            reasons.append("the tokenizer differs")
        if examples.sequence_length != member["sequence_length"]:
            reasons.append(
                f"sequence_length is {member['sequence_length']} in the "
                f"cache and {examples.sequence_length} here"
            )
        reasons = f": {' and '.join(reasons) or 'they are packed otherwise'}"
        raise self._other_rows(examples, differs, "tokens", reasons)

    def _other_rows(self, examples, differs, what, reasons):
        return ValueError(
            f"{differs.sum():,} of {len(examples):,} examples have other "
            f"{what} here than in the cache in '{self.path}', such as that "
            f"with the id {examples.ids[differs][0]}{reasons}. Write a cache "
            "for these examples."
        )
