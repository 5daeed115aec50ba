"""The lines of a text file, whatever its encoding and its line ends."""

import codecs
import contextlib
import gzip
import zlib

# Lines between two reports of how far a file was read.
_REPORT_EVERY = 1000
# Bytes that tell what a file is.
_HEAD = 4096

# Byte order marks, the longer ones first, with the bytes of a line end.
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32-le", 4),
    (codecs.BOM_UTF32_BE, "utf-32-be", 4),
    (codecs.BOM_UTF8, "utf-8", 1),
    (codecs.BOM_UTF16_LE, "utf-16-le", 2),
    (codecs.BOM_UTF16_BE, "utf-16-be", 2),
)
_WIDTHS = {name: width for _, name, width in _MARKS} | {
    "utf-16": 2,
    "utf-32": 4,
}

# How files begin that hold no text, and what to do with them.
_OTHER_KINDS = {
    b"\x1f\x8b": "it is compressed by gzip; let its name end in .gz",
    b"PK\x03\x04": "it is a .zip or .xlsx archive; save the sheet as CSV, or "
    "unpack it",
    b"PAR1": "it is a Parquet file; write it as CSV or JSON Lines, such as by "
    "`pandas.read_parquet(...).to_json(..., orient='records', lines=True)`",
    b"ARROW1": "it is an Arrow file; write it as CSV or JSON Lines",
    b"\xd0\xcf\x11\xe0": "it is an old .xls workbook; save the sheet as CSV",
    b"%PDF": "it is a PDF; extract its text",
    b"BZh": "it is compressed by bzip2; unpack it",
    b"\xfd7zXZ": "it is compressed by xz; unpack it",
    b"\x28\xb5\x2f\xfd": "it is compressed by zstd; unpack it",
    b"\x93NUMPY": "it is a NumPy array",
    b"version https://git-lfs": "it is a pointer of Git LFS; run "
    "`git lfs pull`",
}


def read_lines(path, progress=None, encoding=None, bad=None):
    """Yields the lines of a text file, plain or `.gz`.

    A line ends with a line feed, with or without a carriage return before it;
    in a file without any line feed, with a carriage return. A byte order mark
    says which encoding a file has, and is dropped.

    Args:
        path: `pathlib.Path`. A name that ends in `.gz` is decompressed.
        progress: function of how many bytes of the file were read, called
            now and then. Defaults to `None`.
        encoding: str. The encoding of a file without byte order mark.
            Defaults to `None`: UTF-8.
        bad: `BadRows`. What happens to lines that cannot be decoded. Defaults
            to `None`: the first one raises.

    Yields:
        Pairs of the line's number, from 1, and its text without line end.

    Raises:
        ValueError: an unknown encoding, a damaged `.gz`, a file that is no
            text, or bytes that are not of the encoding, with the file, the
            line and a guess.
    """
    check_encoding(encoding)
    number = 0
    is_gzip = path.name.lower().endswith(".gz")
    opener = gzip.open if is_gzip else contextlib.nullcontext
    try:
        with open(path, "rb") as raw, opener(raw) as file:
            head = file.peek(_HEAD)[:_HEAD]
            _check_kind(head, path)
            codec, width, mark = _codec(head, encoding, path)
            file.read(len(mark))
            lines = file if width == 1 else _wide_lines(file, codec, width)
            for number, line in enumerate(_mac_lines(lines, width), start=1):
                if progress is not None and number % _REPORT_EVERY == 0:
                    progress(raw.tell())
                try:
                    text = _decode(line, codec, encoding)
                except ValueError as error:
                    if bad is None:
                        raise ValueError(f"{path}:{number}: {error}") from error
                    bad.add(number, error)
                    continue
                yield number, text
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise ValueError(
            f"{path}:{number + 1}: the compressed file is damaged ({error}); "
            "fetch it again."
        ) from error


def check_encoding(encoding):
    """Raises on an encoding that Python does not know.

    Args:
        encoding: str or `None`.

    Raises:
        ValueError: an unknown encoding.
    """
    if encoding is None:
        return
    try:
        # Some codecs, such as base64, are not of text.
        "".encode(encoding)
    except (LookupError, TypeError) as error:
        raise ValueError(
            "`encoding` must be an encoding of text that Python knows, such "
            f"as 'cp1252'. Received: encoding={encoding!r}."
        ) from error


def _check_kind(head, path):
    for start, what in _OTHER_KINDS.items():
        if head.startswith(start):
            raise ValueError(
                f"{path}:1: the file holds no lines of text: {what}."
            )


def _codec(head, encoding, path):
    """The codec of the lines, the bytes of a line end, and the mark."""
    for mark, name, width in _MARKS:
        if head.startswith(mark):
            return name, width, mark
    if encoding is None:
        if head.count(0) * 4 > len(head):
            is_little = head[1::2].count(0) > head[::2].count(0)
            guess = "utf-16-le" if is_little else "utf-16-be"
            raise ValueError(
                f"{path}:1: the file is not UTF-8 but looks like {guess} "
                f'without byte order mark; pass encoding="{guess}", or convert '
                "the file to UTF-8."
            )
        return "utf-8", 1, b""
    name = codecs.lookup(encoding).name
    # Without a mark most such files come from Windows.
    name = {"utf-16": "utf-16-le", "utf-32": "utf-32-le"}.get(name, name)
    return name, _WIDTHS.get(name, 1), b""


def _wide_lines(file, codec, width):
    """The lines of a file whose characters are of two or four bytes."""
    end = "\n".encode(codec)
    rest = b""
    while chunk := file.read(1 << 16):
        rest += chunk
        start = place = 0
        while (place := rest.find(end, place)) >= 0:
            if place % width:
                # Half of one character and half of the next.
                place += 1
                continue
            place += width
            yield rest[start:place]
            start = place
        rest = rest[start:]
    if rest:
        yield rest


def _mac_lines(lines, width):
    """The lines; of a file without line feed those of carriage returns."""
    first = next(lines, None)
    if first is None:
        return
    if width == 1 and b"\r" in first[:-1] and not first.endswith(b"\n"):
        yield from first.removesuffix(b"\r").split(b"\r")
        return
    yield first
    yield from lines


def _decode(line, codec, encoding):
    """The text of one line."""
    try:
        text = line.decode(codec)
    except UnicodeDecodeError as error:
        raise ValueError(
            _not_decoded(line, error.start, codec, encoding)
        ) from None
    if "\0" in text:
        raise ValueError(
            f"character {text.index(chr(0)) + 1} of the line is NUL, which no "
            "text holds; the file is damaged or of another encoding."
        )
    return text.removesuffix("\n").removesuffix("\r")


def _not_decoded(line, place, codec, encoding):
    name = "UTF-8" if codec == "utf-8" else codec
    message = f"byte {place + 1} of the line is not {name}"
    if encoding is not None or codec != "utf-8":
        return f"{message}; pass the file's own `encoding`."
    try:
        text = line.decode("cp1252")
    except UnicodeDecodeError:
        return (
            f"{message}; convert the file to UTF-8, or pass its `encoding`, "
            "such as 'cp1251'."
        )
    around = text[max(0, place - 12) : place + 12].strip()
    return (
        f"{message}, but may be cp1252, in which it reads {around!r}: pass "
        'encoding="cp1252", or convert the file to UTF-8.'
    )
