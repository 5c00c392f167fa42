"""Tables in Markdown, and the part of a document that a command writes: shared by the tools that keep one up to date."""

import re


def table(header, rows, left):
    """A Markdown table whose source is aligned too; all but the first `left` columns to the right."""
    widths = [max(len(row[i]) for row in [header, *rows]) for i in range(len(header))]

    def line(cells):
        cells = [c.ljust(w) if i < left else c.rjust(w) for i, (c, w) in enumerate(zip(cells, widths))]
        return "| " + " | ".join(cells) + " |"

    ruler = ["-" * w if i < left else "-" * (w - 1) + ":" for i, w in enumerate(widths)]
    return [line(header), line(ruler), *map(line, rows)]


def rows_below(text, first):
    """The rows, as dictionaries, of the table whose first column is named so."""
    lines = iter(text.splitlines())
    for line in lines:
        header = [cell.strip() for cell in line.strip("| ").split("|")]
        if header[0] == first:
            next(lines)
            break
    for line in lines:
        if not line.startswith("|"):
            return
        yield dict(zip(header, (cell.strip().strip("`") for cell in line[1:-1].split("|"))))


def split_at(path, begin, end):
    """What a document has before the line `begin`, between it and the line `end`, and after that."""
    text = path.read_text(encoding="utf-8")
    parts = re.split(f"{re.escape(begin)}|{re.escape(end)}", text)
    if len(parts) != 3:
        raise SystemExit(f"{path}: the lines {begin!r} and {end!r} must be there once")
    return parts


def rewrite(path, begin, end, text):
    """Puts `text` between the two lines."""
    before, _, after = split_at(path, begin, end)
    path.write_text(f"{before}{begin}\n\n{text}\n{end}{after}", encoding="utf-8")


def is_current(path, begin, end, text):
    return split_at(path, begin, end)[1] == f"\n\n{text}\n"
