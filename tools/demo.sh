#!/bin/sh
# Attention over real sentences with a built fovea, checked against the model's own framework:
#   tools/demo.sh PATH_OF_FOVEA [OUTPUT_FOLDER]
# Exit status 0 only if everything agrees.
set -eu
[ $# -ge 1 ] && [ $# -le 2 ] || { echo "usage: tools/demo.sh PATH_OF_FOVEA [OUTPUT_FOLDER]" >&2; exit 2; }
fovea=$(realpath "$1")
out=${2:+$(realpath -m "$2")}
cd "$(dirname "$0")/.."
out=${out:-demo-out}
data=data/demo
mkdir -p "$out"

# Layer 4, head 2 of MiniLM looks from a pronoun to what it stands for.
title='MiniLM layer 4, head 2: what does "it" stand for?'

echo "Q, K and V of MiniLM (4 sentences, 12 heads of 32, padded to 17 tokens), from $data"
echo
echo "1. The sentences' lengths as key lengths; the reference is PyTorch's output:"
"$fovea" run "$data/q.npy" "$data/k.npy" "$data/v.npy" --key-lengths "$data/key_lengths.npy" \
    --output "$out/attention.npy" --weights "$out/weights.npy" --compare "$data/reference.npy" --tolerance 1e-5 \
    --heatmap-svg "$out/attention.svg" --tokens "$data/tokens.txt" --head 1 --title "$title"
"$fovea" compare "$out/weights.npy" "$data/reference_weights.npy" --tolerance 1e-5
echo
echo "2. The same with the padding as a mask:"
"$fovea" run "$data/q.npy" "$data/k.npy" "$data/v.npy" --mask "$data/mask.npy" \
    --compare "$data/reference.npy" --tolerance 1e-5
echo
echo "3. Which token attends to which:"
echo
"$fovea" run "$data/q.npy" "$data/k.npy" "$data/v.npy" --key-lengths "$data/key_lengths.npy" --quiet \
    --compare "$data/reference.npy" --tolerance 1e-5 \
    --heatmap --tokens "$data/tokens.txt" --head 1 --title "$title"
echo
echo "Written: $out/attention.npy, weights.npy and, as a picture, $out/attention.svg"
echo "Other sentences and heads: fovea run ... --entry 0..3 --head 0..11"
