"""Tables in Markdown."""

import accepted
import markdown_tables
from markdown_tables import table

BEGIN = "<!-- Written by ./dev mca from here -->"
END = "<!-- to here -->"

COLUMNS = ["Kernel", "Tile", "Steps", "Instr.", "FMAs", "Loads"]


def description(loop):
    tile = loop.tile
    problems = len(loop.problems())
    shape = tile.shape_text() + (f" ({problems} faults)" if problems else "")
    return [shape, tile.steps_text(), str(len(tile.instructions)), str(tile.fmas), str(loop.loads)]


def main_cell(backend, loop, core, notes):
    figure = loop.figures[core.name]
    text = f"{figure.cycles:.1f} · {figure.share:.1f} %"
    mend = core.mend(loop.tile.width())
    if mend:
        text += f" → {figure.judged:.1f} %[^{mend.key}]"
        notes[mend.key] = mend.reason
    entry = accepted.entry_for(backend.name, core.name, loop.tile.kernel)
    if entry and figure.judged < accepted.TARGET:
        text += f"[^{entry.reason}]"
        notes[entry.reason] = accepted.REASONS[entry.reason]
    return text


def tail_cell(loop, core):
    return f"{loop.figures[core.name].judged:.0f} %"


def joined(rows):
    """Rows that differ in the kernel only become one."""
    by_rest = {}
    for kernel, *rest in rows:
        kernels = by_rest.setdefault(tuple(rest), [])
        if kernel not in kernels:
            kernels.append(kernel)
    return [[", ".join(kernels), *rest] for rest, kernels in by_rest.items()]


def backend_tables(backend, notes):
    names = [core.name for core in backend.cores]
    loops = sorted(backend.loops, key=lambda loop: (loop.tile.kernel, -loop.tile.fmas))
    main, tails = [], []
    for loop in loops:
        start = [f"`{loop.tile.kernel}`", *description(loop)]
        if loop.main:
            main.append(start + [main_cell(backend, loop, core, notes) for core in backend.cores])
        else:
            tails.append(start + [tail_cell(loop, core) for core in backend.cores])
    yield f"### {backend.name}: main tiles"
    yield ""
    yield from table(COLUMNS + names, joined(main), 2)
    yield ""
    yield f"### {backend.name}: tiles for what is left over"
    yield ""
    yield from table(COLUMNS + names, joined(tails), 2)


def markdown(backends):
    notes = {}
    lines = []
    for backend in backends:
        lines += [*backend_tables(backend, notes), ""]
    for key, reason in notes.items():
        lines += [f"[^{key}]: {reason}", ""]
    return "\n".join(lines)


def rewrite(path, text):
    markdown_tables.rewrite(path, BEGIN, END, text)


def is_current(path, text):
    return markdown_tables.is_current(path, BEGIN, END, text)
