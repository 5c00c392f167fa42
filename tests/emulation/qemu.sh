# Instruction sets that this machine lacks, or has too much of, under QEMU's user mode: sourced by dev.

# The translator is some twenty times slower than the processor and has one backend's kernels to look at, which natively
# run at full length: fewer random cases.
qemu_scale=${FOVEA_TEST_SCALE-0.05}

aarch64_packages=(gcc-aarch64-linux-gnu g++-aarch64-linux-gnu qemu-user
    libsleef-dev:arm64 check:arm64 libgomp1:arm64 libbenchmark-dev:arm64)

# The backend that the program takes when nothing is said.
check_chosen() { # BACKEND COMMAND...
    local wanted=$1 listing
    shift
    listing=$("$@" info) || return 1
    printf '%s\n' "$listing"
    awk -v wanted="$wanted" '$4 == "yes" { chosen = $1 } END { print "chosen: " chosen; exit chosen != wanted }' <<<"$listing"
}

# A program whose SLEEF is not there ends before main, by the loader's word. The name of the library that the copy asks
# for is of the same length and nowhere.
check_without_sleef() { # DIRECTORY COMMAND...
    local directory=$1 folder output status=0
    shift
    folder=$(mktemp -d)
    sed 's/libsleef\.so\.[0-9]/libsleef.so.x/g' "$directory/src/libfovea.so.0" >"$folder/libfovea.so.0"
    output=$(LD_LIBRARY_PATH=$folder QEMU_SET_ENV=LD_LIBRARY_PATH=$folder "$@" info 2>&1) || status=$?
    rm -rf "$folder"
    printf '%s (status %d)\n' "$output" "$status"
    [ "$status" = 127 ] && grep -q 'libsleef.so.x: cannot open shared object file' <<<"$output"
}

# The suites, and the demo of the command line, on one model of processor.
under_qemu() { # DIRECTORY SETUP EMULATOR CPU BACKEND [SUITE...]
    local directory=$1 setup=$2 emulator=$3 cpu=$4 backend=$5 wrapper=() program=$1/under-qemu
    shift 5
    say "$emulator -cpu $cpu"
    # QEMU reads its options from the environment too, so that the programs that tests start get the same processor.
    export QEMU_CPU=$cpu QEMU_LD_PREFIX=/ FOVEA_TEST_WRAPPER=$emulator FOVEA_TEST_SCALE=$qemu_scale
    # A cross build's tests are wrapped already.
    [ "$emulator" != qemu-x86_64 ] || wrapper=(--wrapper "$emulator")
    unit_suites "$directory" "$setup" --timeout-multiplier 2 "${wrapper[@]}" "$@"
    [ $# = 0 ] || return 0
    printf '#!/bin/sh\nexec %s "%s" "$@"\n' "$emulator" "$PWD/$directory/tools/fovea" >"$program"
    chmod +x "$program"
    check_one "$backend is chosen on $cpu" check_chosen "$backend" "$program"
    check_one "demo on $cpu" tools/demo.sh "$program"
}

test_aarch64() { # SETUP CPU [SUITE...]
    local setup=$1 cpu cpus=("$2")
    shift 2
    [ -n "${cpus[0]}" ] || cpus=(cortex-a57 max)
    need "${base_packages[@]}" "${aarch64_packages[@]}"
    configure build-aarch64 --cross-file cross/aarch64-linux-gnu.ini -Dwerror=true -Dtests=enabled -Dbench=enabled --
    compile build-aarch64
    for cpu in "${cpus[@]}"; do
        under_qemu build-aarch64 "$setup" qemu-aarch64 "$cpu" neon "$@"
    done
    [ $# = 0 ] || return 0
    check_one objects python3 tools/check_objects.py build-aarch64
    check_one "without SLEEF" check_without_sleef build-aarch64 build-aarch64/under-qemu
}

# Two older processors for the native build: one without AVX, one with AVX2.
test_x86() { # SETUP [SUITE...]
    local setup=$1
    shift
    need "${base_packages[@]}" qemu-user
    build_native
    under_qemu build "$setup" qemu-x86_64 Nehalem generic "$@"
    under_qemu build "$setup" qemu-x86_64 Haswell avx2 "$@"
}
