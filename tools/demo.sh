#!/bin/sh
# Attention over real sentences with a built fovea, checked against the model's own framework:
#   tools/demo.sh PATH_OF_FOVEA [OPTION_OF_THE_HEAT_MAP]...      for example --entry 2 or --head 5
# Results go to demo-out/. Exit status 0 only if everything agrees.
set -eu
[ $# -ge 1 ] || { echo "usage: tools/demo.sh PATH_OF_FOVEA [OPTION]..." >&2; exit 2; }
fovea=$(realpath "$1")
shift
cd "$(dirname "$0")/.."
data=data/demo
out=demo-out
mkdir -p "$out"

if [ $# -eq 0 ]; then
    title='MiniLM, layer 4 of 6, head 2 of 12: what does "it" stand for?'
else
    title='MiniLM, layer 4 of 6'
fi

echo "Q, K and V: 4 sentences in a layer of MiniLM (12 heads of 32), padded to 17 tokens. Reference: PyTorch's result."
echo
echo "== the lengths of the sentences as key lengths"
"$fovea" run $data/q.npy $data/k.npy $data/v.npy --key-lengths $data/key_lengths.npy \
    --output $out/attention.npy --weights $out/weights.npy --compare $data/reference.npy --tolerance 1e-5
"$fovea" compare $out/weights.npy $data/reference_weights.npy --tolerance 1e-5
echo
echo "== the padding as a mask"
"$fovea" run $data/q.npy $data/k.npy $data/v.npy --mask $data/mask.npy --compare $data/reference.npy --tolerance 1e-5
echo
echo "== which token attends to which"
"$fovea" run $data/q.npy $data/k.npy $data/v.npy --key-lengths $data/key_lengths.npy --quiet --tokens $data/tokens.txt \
    --heatmap --heatmap-svg $out/attention.svg --head 1 --title "$title" "$@"
echo
echo "Written: $out/attention.npy, $out/weights.npy, and the heat map as a picture: $out/attention.svg"
echo "Others: add --entry 0 to 3 (sentence), --head 0 to 11"
