"""The document with the committed counts: read, and written again."""

import datetime
import fnmatch

from backends import BACKENDS, OVERHEAD, SUMS
from markdown_tables import rewrite, rows_below, split_at, table

BEGIN = "<!-- Written by ./dev count --update from here -->"
END = "<!-- to here -->"
LANES = {backend.name: backend.lanes for backend in BACKENDS}


def vectors(counts, work):
    """Instructions for each vector of useful multiply-adds, by backend: of the cases, and of their sums."""
    found = {}
    for backend, instructions in counts.items():
        if instructions:
            useful = {case: work[case] / LANES[backend] for case in instructions}
            found[backend] = {case: count / useful[case] for case, count in instructions.items()}
            for name, patterns in SUMS.items():
                cases = [case for case in instructions if any(fnmatch.fnmatch(case, pattern) for pattern in patterns)]
                if cases:
                    found[backend][name] = sum(instructions[c] for c in cases) / sum(useful[c] for c in cases)
    return found


class Document:
    def __init__(self, path):
        self.path = path
        _, written, _ = split_at(path, BEGIN, END)
        rows = list(rows_below(written, "Case"))
        self.work = {row["Case"]: int(row["Multiply-adds"]) for row in rows}
        self.counts = {name: {row["Case"]: int(row[name]) for row in rows if row.get(name)} for name in LANES}
        self.setups = {row["Backend"]: row["Counted with"] for row in rows_below(written, "Backend")}

    def tables(self):
        names = [name for name in LANES if self.counts.get(name)]
        yield from table(["Backend", "Counted with"], [[name, self.setups[name]] for name in names], 2)
        yield ""
        yield "### Instructions of one call"
        yield ""
        yield from table(["Case", "Multiply-adds", *names], [
            [f"`{case}`", str(work), *(str(self.counts[name].get(case, "")) for name in names)]
            for case, work in self.work.items()], 1)
        yield ""
        yield "### Instructions for each vector of useful multiply-adds"
        yield ""
        found = vectors({name: self.counts[name] for name in names}, self.work)
        mine, other, _ = OVERHEAD
        compared = mine in found and other in found
        header = ["Cases", *(f"{name}, of {LANES[name]}" for name in names)]
        rows = []
        for case in [*self.work, *SUMS]:
            cells = [f"{found[name][case]:.2f}" if case in found[name] else "" for name in names]
            if compared and case in found[mine] and case in found[other]:
                above = [found[name][case] - 1 for name in (mine, other)]
                cells += [f"{above[1]:.2f}", f"{above[0]:.2f}", f"{above[0] / above[1]:.2f}"]
            rows.append([case if case in SUMS else f"`{case}`", *cells])
        if compared:
            header += [f"{other} beside the FMAs", f"{mine} beside the FMAs", "ratio"]
        yield from table(header, rows, 1)

    def update(self, counts, reason):
        """Takes over new counts, and writes why. Cases that are no more go away."""
        changes = []
        for name, new in counts.items():
            old = self.counts[name]
            shares = [100 * (new.instructions[case] / old[case] - 1) for case in new.instructions if case in old]
            added = len(new.instructions.keys() - old.keys())
            words = [f"{min(shares):+.1f} to {max(shares):+.1f} %"] if shares else []
            words += [f"{added} new"] if added else []
            changes.append(f"{name} {', '.join(words)}")
            self.counts[name] = new.instructions
            self.setups[name] = new.setup
            work = new.work
        self.work = work
        for name in self.counts:
            self.counts[name] = {case: self.counts[name][case] for case in work if case in self.counts[name]}
        rewrite(self.path, BEGIN, END, "\n".join(self.tables()) + "\n")
        entry = f"- {datetime.date.today()}: {reason} ({'; '.join(changes)})\n"
        self.path.write_text(self.path.read_text(encoding="utf-8").rstrip("\n") + "\n" + entry, encoding="utf-8")
