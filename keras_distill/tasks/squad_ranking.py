"""QNLI as a ranking: which sentence of the paragraph answers the question.

GLUE's QNLI was made of SQuAD so, and its first version was scored as a
ranking. GLUE cut it into single pairs and left the paragraphs out, so that a
ranking is made of SQuAD's own files.
"""

import functools

import numpy as np

from keras_distill.checks.arguments import SEED
from keras_distill.checks.arguments import check_float
from keras_distill.checks.arguments import check_int
from keras_distill.checks.arguments import check_number
from keras_distill.data.examples import Examples
from keras_distill.data.readers.reading import Reading
from keras_distill.data.readers.sentences import split_into_sentences
from keras_distill.data.readers.squad_json import read_squad
from keras_distill.data.readers.tsv import listing
from keras_distill.data.splits import Splits
from keras_distill.io.saving import local_path
from keras_distill.tasks.ranking import RankingTask

QNLI_RANKING = RankingTask(
    name="qnli_ranking",
    text_columns=("question", "sentence"),
    label_names=None,
    metrics=("accuracy", "mrr"),
    sequence_length=128,
)

_SPLITS = ("train", "dev", "test")


def load_squad_ranking(
    path,
    num_negatives=None,
    dev_share=0.1,
    seed=0,
    encoding=None,
    skip_bad_rows=False,
):
    """Opens SQuAD as a ranking of the sentences of a paragraph.

    The query is a question, its candidates are the sentences of its
    paragraph, and the right one is the sentence with the first answer. If
    the paragraph is cut within that answer, as after an abbreviation, the
    pieces count as one sentence. Left out are questions without an answer
    and paragraphs of one sentence, which leave nothing to choose.

    Args:
        path: string or path of a JSON file of SQuAD 1.1 or 2.0, plain or
            `.gz`, from which a dev split is drawn; or of a folder with
            `train`, such as `train-v1.1.json`, and `dev`; or with one file
            `squad`, such as `squad.json.gz`.
        num_negatives: int. The most wrong candidates of a question in
            `train`, drawn by `seed`. MT-DNN has 1. Defaults to `None`: all
            other sentences; other splits always have all.
        dev_share: float. The share of the paragraphs of `train` that becomes
            `dev` where there is none; none of them is in both. Defaults to
            `0.1`.
        seed: int. The seed of both draws. Defaults to `0`.
        encoding: string. The encoding of files without byte order mark.
            Defaults to `None`: UTF-8.
        skip_bad_rows: bool. Whether to leave out questions that cannot be
            read. Defaults to `False`: the first one raises.

    Returns:
        A `RankingTask` and a mapping of split name to `Examples`, whose ids
        are the question's and a number: 0 for the right sentence.

    Raises:
        ValueError: no such file or folder, or bad data, with the file and the
            place in it.

    Example:

    >>> import json
    >>> import pathlib
    >>> from keras_distill import tasks
    >>> context = "Ada wrote it. It was long. Bo read it."
    >>> questions = [
    ...     {"id": "1", "question": "Who wrote it?",
    ...      "answers": [{"text": "Ada", "answer_start": 0}]},
    ... ]
    >>> paragraphs = [{"context": context, "qas": questions}] * 2
    >>> text = json.dumps({"data": [{"paragraphs": paragraphs}]})
    >>> _ = pathlib.Path("squad.json").write_text(text)
    >>> task, splits = tasks.load_squad_ranking("squad.json", dev_share=0.5)
    >>> splits["dev"].texts[1], splits["dev"].labels.tolist()
    (['Ada wrote it.', 'It was long.', 'Bo read it.'], [1, -1, -1])
    """
    check_int("num_negatives", num_negatives, minimum=1, optional=True)
    check_float("dev_share", dev_share, above=0, below=1)
    check_number("seed", seed, SEED)
    path = local_path(path)
    files = _find_files(path)
    reading = Reading(encoding, None, skip_bad_rows)

    @functools.cache
    def paragraphs(split):
        """The queries of each paragraph that has any."""
        file = files[split]
        found = read_squad(file, reading.encoding, reading.skip_bad_rows)
        found = [queries for queries in map(_queries, found) if queries]
        if not found:
            raise ValueError(
                f"{file}: no paragraph has two sentences and a question with "
                "an answer."
            )
        return found

    @functools.cache
    def divided():
        return _divide(paragraphs("train"), dev_share, seed, files["train"])

    def examples(split):
        if "dev" in files or split == "test":
            found = paragraphs(split)
        else:
            found = divided()[split == "dev"]
        return _examples(
            found, num_negatives if split == "train" else None, seed
        )

    readers = {
        split: functools.partial(examples, split)
        for split in dict.fromkeys(("train", "dev", *files))
    }
    return QNLI_RANKING, Splits(readers, str(path))


def _find_files(path):
    """The file of each split."""
    if path.is_file():
        return {"train": path}
    if not path.is_dir():
        raise ValueError(
            "`path` must be a JSON file of SQuAD, or a folder with such. "
            f"Received: {str(path)!r}, which is not there."
        )
    files = {}
    for split in (*_SPLITS, "squad"):
        found = [
            file
            for file in sorted(path.iterdir())
            if file.name.startswith(split)
            and file.name.removesuffix(".gz").endswith(".json")
        ]
        if len(found) > 1:
            raise ValueError(
                f"`path` must hold one file {split}*.json. Received: "
                f"{str(path)!r} with {', '.join(f.name for f in found)}; name "
                "the one file, or a folder with one."
            )
        if found:
            files[split] = found[0]
    whole = files.pop("squad", None)
    if "train" not in files and whole is not None:
        return {"train": whole}
    if "train" not in files:
        raise ValueError(
            "`path` must hold train*.json or squad*.json, plain or .gz. "
            f"Received: {str(path)!r}, which holds {listing(path)}."
        )
    return files


def _divide(paragraphs, share, seed, path):
    """The paragraphs to train on, and those held out."""
    count = max(1, round(share * len(paragraphs)))
    if count >= len(paragraphs):
        raise ValueError(
            f"{path}: a dev split needs paragraphs of its own. Received: "
            f"{len(paragraphs)} with questions, of which {count} are to be "
            "held out."
        )
    order = np.random.default_rng(seed).permutation(len(paragraphs))
    return tuple(
        [paragraphs[place] for place in np.sort(part)]
        for part in (order[count:], order[:count])
    )


def _queries(paragraph):
    """The questions of a paragraph, each with its right and wrong sentences."""
    spans = _spans(paragraph.text)
    found = [
        (question, *_candidates(paragraph.text, spans, question))
        for question in paragraph.questions
        if question.answers
    ]
    return [query for query in found if query[2]]


def _examples(paragraphs, num_negatives, seed):
    """The pairs of questions and sentences, those of a question together."""
    generator = np.random.default_rng(seed)
    questions, sentences, labels, ids = [], [], [], []
    queries = [query for paragraph in paragraphs for query in paragraph]
    for number, (question, right, wrong) in enumerate(queries, start=1):
        drawn = np.arange(len(wrong))
        if num_negatives is not None and num_negatives < len(wrong):
            drawn = generator.choice(len(wrong), num_negatives, replace=False)
            drawn.sort()
        questions += [question.text] * (1 + len(drawn))
        sentences += [right, *(wrong[place] for place in drawn)]
        labels += [number, *[-number] * len(drawn)]
        # The same for the same sentence, whichever are drawn.
        ids += [f"{question.id}/{place}" for place in (0, *(drawn + 1))]
    return Examples((questions, sentences), labels, ids)


def _spans(text):
    """Where each sentence begins and ends."""
    spans, place = [], 0
    for sentence in split_into_sentences(text):
        start = text.index(sentence, place)
        place = start + len(sentence)
        spans.append((start, place))
    return spans


def _candidates(text, spans, question):
    """The sentence with the first answer, and the others."""
    start, answer = question.answers[0]
    end = start + len(answer)
    # What the answer reaches into; space at its ends may reach further.
    inside = [
        number
        for number, (begin, finish) in enumerate(spans)
        if begin < end and start < finish
    ]
    first, last = inside[0], inside[-1]
    right = text[spans[first][0] : spans[last][1]]
    wrong = [
        text[begin:finish]
        for number, (begin, finish) in enumerate(spans)
        if not first <= number <= last
    ]
    return right, [sentence for sentence in wrong if sentence != right]
