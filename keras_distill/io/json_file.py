"""JSON files that are whole or not there."""

import json
import math
import numbers
import re

from keras_distill.io.saving import write_text


def read_json(path):
    """Reads an object from a JSON file."""
    if not path.is_file():
        return None
    try:
        content = json.loads(path.read_bytes())
    # Brackets in brackets without end break the parser this way.
    except (RecursionError, ValueError) as error:
        raise ValueError(
            f"{path} is damaged ({error}). Put it back as it was, or remove "
            "it to do its part anew."
        ) from error
    if not isinstance(content, dict):
        raise ValueError(
            f"{path} is damaged: it holds no JSON object. Put it back as it "
            "was, or remove it to do its part anew."
        )
    return content


def write_json(path, content):
    """Writes a JSON file, whole or not at all."""
    write_text(path, to_text(content))


def to_text(content):
    """The text of a JSON file, in which what is no number is `null`."""
    content = plain(content)
    text = json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False)
    return text + "\n"


def plain(value):
    """Turns nested values into what any JSON parser reads."""
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, numbers.Integral):
        return int(value)
    if isinstance(value, numbers.Real):
        return float(value) if math.isfinite(value) else None
    return str(value)


def differences(there, now, prefix=""):
    """Says where two JSON objects differ."""
    found = []
    for key in sorted({*there, *now}):
        old, new = there.get(key), now.get(key)
        if isinstance(old, dict) and isinstance(new, dict):
            found += differences(old, new, f"{prefix}{key}.")
        elif old != new:
            found.append(f"{prefix}{key}{_in_words(old, new)}")
    return found


def _in_words(old, new):
    if _is_hash(old) and _is_hash(new):
        return " is another one now"
    if _are_many(old) and _are_many(new):
        gone = [one for one in old if one not in new]
        added = [one for one in new if one not in old]
        if gone or added:
            return f": {_shortened(gone)} gone, {_shortened(added)} new"
    return f": {old!r} there, {new!r} now"


def _is_hash(value):
    return isinstance(value, str) and re.fullmatch("[0-9a-f]{64}", value)


def _are_many(value):
    return isinstance(value, list) and len(value) > 3


def _shortened(values):
    shown = ", ".join(map(repr, values[:3]))
    more = len(values) - 3
    return (shown or "nothing") + (f" and {more} more" if more > 0 else "")
