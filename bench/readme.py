#!/usr/bin/env python3
"""Measures the README's performance table and writes it there, between the lines that mark it.

usage: readme.py FOVEA_BENCH README.md
"""

import json
import pathlib
import subprocess
import sys
import tempfile

BEGIN, END = "<!-- bench/readme.py begin -->", "<!-- bench/readme.py end -->"

# (row of the benchmark, how a reader would say it)
ROWS = [
    ("f32/dense/S=1536/D=64", "prefill, 1536 tokens, head size 64"),
    ("f32/dense/S=1536/D=128", "prefill, 1536 tokens, head size 128"),
    ("f32/causal/S=1536/D=64", "causal prefill, 1536 tokens, head size 64"),
    ("f32/causal/S=1536/D=128", "causal prefill, 1536 tokens, head size 128"),
    ("f32/dense/B=8/H=12/S=128/D=64", "BERT: 8 sequences of 128 tokens, 12 heads of 64"),
    ("f32/dense/B=8/H=12/S=128/D=32", "MiniLM: 8 sequences of 128 tokens, 12 heads of 32"),
    ("f32/dense/H=12/S=197/D=64", "ViT: 197 patches, 12 heads of 64"),
    ("f32/chunk/16x4096/H=8/D=128", "16 tokens after 4096 (speculative decoding), 8 heads of 128"),
    ("f32/decode/H=8/K=16384/D=128", "decoding, 8 heads, 16384 keys"),
    ("f32/decode/H=32/KV=8/K=8192/D=128", "decoding, 32 heads over 8, 8192 keys"),
    ("f32/threads=2/dense/H=12/S=1536/D=128", "two threads against one, prefill"),
    ("f32/tiny/plan", "one query, 16 keys, through a plan"),
]


def measure(program):
    names = "|".join(name for name, _ in ROWS)
    with tempfile.NamedTemporaryFile(suffix=".json") as file:
        # Rows below their goal give a failing status; the figures count here.
        subprocess.run([program, "--table", "--rows", f"^call/.*/({names})$", "--json", file.name], check=False)
        return json.load(file)


def figure(row):
    if row is None or "figure" not in row:
        return "–"
    value = row["figure"]
    if row["unit"] == "ns":
        return f"{value:.0f} ns"
    if row["unit"] == "x":
        return f"{value:.2f} ×"
    return f"{value:.0f} %" + (" of read" if "read" in row["unit"] else "")


def table(result):
    rows = {(row["row"], row["backend"], row["exp"]): row for row in result["rows"]}
    backends = [name for name in ("generic", "avx2", "avx512", "neon") if any(name == b for _, b, _ in rows)]
    columns = [(backend, exp) for backend in backends if backend != "generic" for exp in ("sleef", "fused")]
    environment = result["environment"]
    lines = [
        f"{environment['cpu']}, one core unless said, {environment['pages']}, {environment['date'][:10]}:",
        "",
        "| Case | " + " | ".join(f"{backend}, {exp}" for backend, exp in columns) + " |",
        "|---" * (len(columns) + 1) + "|",
    ]
    for name, words in ROWS:
        cells = [figure(rows.get((name, *column))) for column in columns]
        lines.append(f"| {words} | " + " | ".join(cells) + " |")
    return lines


def main():
    program, readme = sys.argv[1], pathlib.Path(sys.argv[2])
    before, rest = readme.read_text(encoding="utf-8").split(BEGIN)
    _, after = rest.split(END)
    lines = [BEGIN, *table(measure(program)), END]
    readme.write_text(before + "\n".join(lines) + after, encoding="utf-8")


if __name__ == "__main__":
    main()
