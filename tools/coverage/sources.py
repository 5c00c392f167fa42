"""The lines of a source file that say something: neither blank nor comment nor punctuation alone."""

import pathlib
import re

COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.DOTALL)


def telling_lines(path):
    text = COMMENT.sub(lambda match: "\n" * match[0].count("\n"), pathlib.Path(path).read_text())
    return {number for number, line in enumerate(text.splitlines(), 1) if re.search(r"\w", line)}
