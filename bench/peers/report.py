"""Writes what was measured: docs/benchmarks.md and the README's section."""

import pathlib

import figures
import limits
from coordinator import PEERS, TOLERANCES

BEGIN, END = "<!-- bench/peers begin -->", "<!-- bench/peers end -->"
NONE = "–"


def cell(text: str | None, peer: dict | None) -> str:
    if text is None:
        return NONE
    return f"{text} ⚠" if peer and peer.get("mismatch") else text


def figure(row: dict, name: str) -> str:
    share = figures.share(row, name)
    if share is None:
        return NONE
    text = f"{figures.milliseconds(row, name):#.3g} ms ({share:.0f} %)" if figures.decode(row) else f"{share:.0f} %"
    return cell(text, row["peers"][name])


def ratios(row: dict) -> str:
    found = [(ratio, word) for ratio, word in ((figures.ratio(row, "fovea"), ""),
                                               (figures.ratio(row, "fovea-fused"), ", fused")) if ratio]
    return " · ".join(f"{ratio:.2f} ×{word}" for ratio, word in found) or NONE


def table(rows: list[dict], head: str) -> list[str]:
    lines = ["| " + " | ".join([head, *(words for _, words in PEERS), "fovea : best peer"]) + " |",
             "|---" * (len(PEERS) + 2) + "|"]
    for row in rows:
        cells = [row["shape"]["words"], *(figure(row, name) for name, _ in PEERS), ratios(row)]
        lines.append("| " + " | ".join(cells) + " |")
    return lines


def error_table(rows: list[dict]) -> list[str]:
    names = [(name, words) for name, words in PEERS if name != "fovea"]
    lines = ["| Case | " + " | ".join(words for _, words in names) + " | Tolerance |", "|---" * (len(names) + 2) + "|"]
    for row in rows:
        peers = [row["peers"][name] for name, _ in names]
        if not any("max_abs_error" in peer for peer in peers):
            continue
        cells = [cell(f"{peer['max_abs_error']:.1e}" if "max_abs_error" in peer else None, peer) for peer in peers]
        bound = next(peer["bound"] for peer in peers if "bound" in peer)
        lines.append(f"| {row['shape']['words']} | " + " | ".join(cells) + f" | {bound:.1e} |")
    return lines


def sweep_table(sweep: dict) -> list[str]:
    rows = sweep["rows"]
    decode = figures.decode(rows[0])
    lines = [f"{sweep['words']}, {'milliseconds (share of the read bandwidth)' if decode else 'share of the FMA peak'}:",
             "", "| " + " | ".join(["Keys" if decode else "Tokens", *(words for _, words in PEERS)]) + " |",
             "|---" * (len(PEERS) + 1) + "|"]
    for row in rows:
        lines.append("| " + " | ".join([str(row["shape"]["len_kv"]), *(figure(row, name) for name, _ in PEERS)]) + " |")
    return [*lines, ""]


def plural(count: int, word: str) -> str:
    return f"{count} {word}" if count == 1 else f"{count} {word}s"


def setting(result: dict) -> str:
    environment = result["environment"]
    versions = ", ".join(f"{name} {version}" for name, version in environment["versions"].items())
    return (f"{environment['cpu']}, {plural(environment['threads'], 'thread')}, {environment['date']}, "
            f"{plural(environment['rounds'], 'round')}; {versions}.")


def method(result: dict) -> list[str]:
    environment = result["environment"]
    words = environment["words"]
    # As Shape.cpu_time has it.
    clock = ("CPU time of the process for prefill, so that what others take of a shared core does not count; wall time "
             "for decoding." if environment["threads"] == 1 else "Wall time.")
    megabytes = environment["memory_bytes"] >> 20
    return [
        "## How it was measured",
        "",
        "Every program runs in a process of its own, with the same number of threads and the same seeded inputs "
        "(standard normal). A coordinator hands out rounds: the probe of the machine's limit, fovea, each peer, one "
        "after the other, while the others wait. A process measures a slice of "
        f"{1e3 * environment['slice_seconds']:.0f} ms or {plural(2, 'call')} and answers with its best call; the figures "
        "are medians over the rounds, each round's share being taken of the limit measured just before and after it. "
        f"{clock} Python's call overhead (some microseconds) is included for all. No process is pinned to a core.",
        "",
        f"- **Share of the FMA peak**: useful multiply-adds (under a causal mask: of the visible half) against a loop of "
        f"independent f32 multiply-adds with the widest vectors of the processor ({words['fma']}), for 16-bit types too.",
        f"- **Share of the read bandwidth**: bytes of the keys and values against the fastest of several plain read loops "
        f"({words['read']}) over {megabytes} MiB.",
        f"- **Memory, not cache**: keys and values of a decoding step lie there as many times as {megabytes} MiB hold "
        f"(at least {limits.LEAST_BYTES >> 20} MiB, at least {limits.CACHES} times the last-level cache, at most "
        f"{limits.MOST_BYTES >> 20} MiB), and calls take turns among the copies. Prefill repeats one set of tensors.",
        f"- **The same memory for all**: page-aligned NumPy arrays ({words['pages']}, as the system gives them to NumPy), "
        "handed over without a copy. Every program gets the layout that its operator wants: (batch, heads, length, size), "
        "ONNX Runtime's queries and results (batch, length, heads × size).",
        "- **PyTorch**: `scaled_dot_product_attention`, with `enable_gqa` for grouped heads.",
        "- **ONNX Runtime**: `MultiHeadAttention` where there is neither mask nor group (f16 through its own conversions "
        "to f32), else `GroupQueryAttention` with past and present keys and values in the same buffers, all through IO "
        "binding.",
        "- **OpenVINO**: `ScaledDotProductAttention` of opset 13; for f32 it is told to compute in f32. Asked for f16 it "
        "computes in bf16 on processors with bf16 instructions only, as its error shows. The operator has no grouped heads.",
        "- **fovea**: a plan and a workspace that exist. For f32 results the default exponential is SLEEF's; *fused* is "
        "`FOVEA_EXP_FUSED`, which is the default for 16-bit results. *Through bf16* is `FOVEA_ARITHMETIC_BF16`.",
        "- The chunk of 16 queries sees all keys in all programs: no mask.",
        "- ggml is not compared: neither PyPI nor Debian offers it.",
        "",
        "A dash: the program does not offer it, or fails at it; `bench/results/peers.json` holds its own reason. ⚠: the "
        "result differs by more than the tolerance, and does not count as the best peer.",
    ]


def errors(result: dict) -> list[str]:
    tolerances = ", ".join(f"{bound:g} ({type_})" for type_, bound in TOLERANCES.items() if type_ != "int8")
    return [
        "## Do the results agree?",
        "",
        f"The largest absolute difference from fovea's result. Tolerance, times its largest magnitude: {tolerances}.",
        "",
        *error_table(result["rows"]),
    ]


def images(result: dict, names: dict[str, str]) -> list[str]:
    return [f"![{words}](images/{name}.svg)\n" for name, words in names.items()]


def document(result: dict, names: dict[str, str]) -> str:
    rows = result["rows"]
    prefill = [row for row in rows if not figures.decode(row)]
    decoding = [row for row in rows if figures.decode(row)]
    lines = [
        "# fovea and its peers",
        "",
        "Written by `./dev bench --peers`, which measures everything on this page again.",
        "",
        setting(result),
        "",
        *images(result, names),
        "## Prefill: share of the FMA peak",
        "",
        *table(prefill, "Prefill"),
        "",
        "## Decoding: time of a step, and share of the read bandwidth",
        "",
        *table(decoding, "One query"),
        "",
        "## Over lengths",
        "",
    ]
    for sweep in result["sweeps"]:
        lines += sweep_table(sweep)
    lines += [*method(result), "", *errors(result)]
    return "\n".join(lines) + "\n"


def readme_section(result: dict, names: dict[str, str]) -> list[str]:
    first = next(iter(names))
    return [
        BEGIN,
        f"{setting(result)} All figures and the method: [docs/benchmarks.md](docs/benchmarks.md).",
        "",
        f"![{names[first]}](docs/images/{first}.svg)",
        END,
    ]


def write(root: pathlib.Path, result: dict, names: dict[str, str]) -> None:
    (root / "docs").mkdir(parents=True, exist_ok=True)
    (root / "docs" / "benchmarks.md").write_text(document(result, names), encoding="utf-8")
    readme = root / "README.md"
    if readme.exists():
        before, rest = readme.read_text(encoding="utf-8").split(BEGIN)
        _, after = rest.split(END)
        readme.write_text(before + "\n".join(readme_section(result, names)) + after, encoding="utf-8")


def line(row: dict) -> str:
    """A problem in one line of text, as it is measured."""
    cells = " ".join(f"{figure(row, name):>17}" for name, _ in PEERS)
    worst = max((peer["max_abs_error"] for peer in row["peers"].values() if "max_abs_error" in peer), default=0.0)
    return f"{row['shape']['name']:<40} {cells}  {ratios(row):<24} max error {worst:.1e}"
