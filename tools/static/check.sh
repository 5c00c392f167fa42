#!/bin/bash
# Static checks of the library: cppcheck and clang-tidy over src/ and arch/.
# usage: check.sh cppcheck | clang-tidy BUILD
set -euo pipefail

# Preprocessor symbols of every backend at once; options of a compiler mean nothing to cppcheck.
architectures=(-D__GNUC__=12 -D__x86_64__ -D__AVX2__ -D__FMA__ -D__F16C__ -D__AVX512F__ -D__AVX512BW__ -D__AVX512DQ__
    -D__AVX512VL__ -D__AVX512VNNI__ -D__AVX512BF16__ -D__AMX_TILE__ -D__AMX_BF16__ -D__AMX_INT8__ -D__aarch64__ -D__ARM_NEON)

run_cppcheck() {
    local names
    mapfile -t names < <(sed -n 's/^FV_BACKEND(\([a-z0-9]*\),.*/-DFV_HAVE_\1/p' arch/backends.def)
    cppcheck --std=c11 --enable=warning,performance,portability,style --inline-suppr --library=posix --quiet \
        --error-exitcode=1 --suppressions-list=tools/static/cppcheck-suppressions.txt -Iinclude -I. \
        "${architectures[@]}" "${names[@]}" src arch
}

# What this build compiles of the library, without options that clang does not know. A file at a time: in the second file
# of a run, version 14 takes every va_list for uninitialised.
run_clang_tidy() { # BUILD
    mkdir -p "$1/clang-tidy"
    python3 -c '
import json, re, sys
commands = json.load(open(sys.argv[1] + "/compile_commands.json"))
for entry in commands:
    entry["command"] = re.sub(r" -mmem(set|cpy)-strategy=\S+", "", entry["command"])
json.dump(commands, open(sys.argv[1] + "/clang-tidy/compile_commands.json", "w"))
files = {entry["file"] for entry in commands}
print("\n".join(sorted(file[3:] for file in files if file.startswith(("../src/", "../arch/")))))' "$1" |
        xargs -n 1 -P "$(nproc)" clang-tidy -p "$1/clang-tidy" --quiet 2>/dev/null
}

case $1 in
    cppcheck) run_cppcheck && echo "cppcheck has nothing to say" ;;
    clang-tidy) run_clang_tidy "$2" && echo "clang-tidy has nothing to say" ;;
esac
