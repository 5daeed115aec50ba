"""Where sentences end."""

import pytest

from keras_distill.data.readers.sentences import split_into_sentences


@pytest.mark.parametrize(
    "text, expected",
    [
        ("", []),
        ("  ", []),
        ("no end", ["no end"]),
        (
            "One. Two! Three? 4 is next.",
            ["One.", "Two!", "Three?", "4 is next."],
        ),
        ("It cost 3.5 dollars.", ["It cost 3.5 dollars."]),
        ("See e.g. this one.", ["See e.g. this one."]),
        ("Mr. Smith, Mrs. A. Jones.", ["Mr. Smith, Mrs. A. Jones."]),
        ('He said "No." (Yes.) Done.', ['He said "No."', "(Yes.)", "Done."]),
        ("Ja. Übung.  Ende", ["Ja.", "Übung.", "Ende"]),
        ("我喜欢。他不喜欢！", ["我喜欢。", "他不喜欢！"]),
        ("「行く。」と言った。", ["「行く。」", "と言った。"]),
        ("Он ушёл. Она осталась.", ["Он ушёл.", "Она осталась."]),
        ("Это т. е. конец.", ["Это т. е. конец."]),
        ("वह गया। वह रुकी।", ["वह गया।", "वह रुकी।"]),
        ("هل ذهب؟ نعم.", ["هل ذهب؟", "نعم."]),
        ("Ελα. όχι. Ναι.", ["Ελα. όχι.", "Ναι."]),
    ],
)
def test_sentences(text, expected):
    assert split_into_sentences(text) == expected
