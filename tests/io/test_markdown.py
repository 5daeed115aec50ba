"""Tables in Markdown."""

from keras_distill import io


def test_numbers_stand_to_the_right_and_bars_are_no_columns():
    assert io.markdown_table(["", "a|b"], [["one", "1"], ["two", ""]]) == (
        "| | a\\|b |\n| --- | ---: |\n| one | 1 |\n| two | |\n"
    )
