"""Tables in Markdown."""


def markdown_table(header, rows):
    """Formats a table whose numbers stand to the right."""
    header = list(header)
    lines = [header, ["---", *["---:"] * (len(header) - 1)], *rows]
    return "".join(f"|{''.join(map(_cell, line))}\n" for line in lines)


def _cell(text):
    escaped = text.replace("|", "\\|")
    return f" {escaped} |" if text else " |"
