# Instruction sets that this machine lacks, or has too much of, under QEMU's user mode: sourced by dev.

# The translator is some twenty times slower than the processor, and slower than that at AVX2: few random cases.
aarch64_scale=${FOVEA_TEST_SCALE-0.02}
x86_scale=${FOVEA_TEST_SCALE-0.02}

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
    output=$(LD_LIBRARY_PATH=$folder "$@" info 2>&1) || status=$?
    rm -rf "$folder"
    printf '%s (status %d)\n' "$output" "$status"
    [ "$status" = 127 ] && grep -q 'libsleef.so.x: cannot open shared object file' <<<"$output"
}

# The quick suites but these, into an array. Meson 1.0 lists "project:quick / suite", later ones "quick - project:suite".
take_suites() { # ARRAY DIRECTORY SUITE...
    local -n array=$1
    local listing directory=$2
    shift 2
    listing=$(meson test -C "$directory" --setup quick --no-rebuild --list 2>/dev/null) || die "no list of suites in $directory"
    mapfile -t array < <(sed -n 's/.*[ :]//p' <<<"$listing" | grep -vxF "$(printf '%s\n' "$@")")
    [ ${#array[@]} -gt 0 ] || die "no suites in $directory"
}

# QEMU reads its options from the environment too, so that what the tests start runs on the same processor.
take_processor() { # EMULATOR CPU SCALE
    say "$1 -cpu $2"
    export QEMU_CPU=$2 QEMU_LD_PREFIX=/ FOVEA_TEST_WRAPPER=$1 FOVEA_TEST_SCALE=$3
}

# The command line: which backend it takes, and the demo.
check_program() { # DIRECTORY EMULATOR CPU BACKEND
    local program=$1/under-qemu
    printf '#!/bin/sh\nexec %s "%s" "$@"\n' "$2" "$PWD/$1/tools/fovea" >"$program"
    chmod +x "$program"
    check_one "$4 is chosen on ${3%%,*}" check_chosen "$4" "$program"
    check_one "demo on ${3%%,*}" tools/demo.sh "$program"
}

build_aarch64() { # [TARGET...]
    need "${base_packages[@]}" "${aarch64_packages[@]}"
    configure build-aarch64 --cross-file cross/aarch64-linux-gnu.ini -Dwerror=true -Dtests=enabled -Dbench=enabled --
    compile build-aarch64 "$@"
}

# Suites that are long for other reasons than the kernels that a processor runs, those of large or many problems, and those
# of portable code alone.
again_leaves_out=(threads faults calls partition numbers accuracy extremes metamorphic metamorphic_forms oracle pairs npy fuzz)

test_aarch64() { # SETUP CPU [SUITE...]
    local setup=$1 cpu cpus=("$2") suites
    shift 2
    [ -n "${cpus[0]}" ] || cpus=(cortex-a57 max)
    build_aarch64
    for cpu in "${cpus[@]}"; do
        take_processor qemu-aarch64 "$cpu" "$aarch64_scale"
        # The cross build's tests are wrapped already. A further processor runs the same kernels: what is long for other
        # reasons is left out.
        suites=("$@")
        [ $# -gt 0 ] || [ "$cpu" = "${cpus[0]}" ] || take_suites suites build-aarch64 "${again_leaves_out[@]}"
        unit_suites build-aarch64 "$setup" --timeout-multiplier 2 "${suites[@]}"
        [ $# -gt 0 ] || check_program build-aarch64 qemu-aarch64 "$cpu" neon
    done
    [ $# = 0 ] || return 0
    check_one objects python3 tools/check_objects.py build-aarch64
    check_one "without SLEEF" check_without_sleef build-aarch64 build-aarch64/under-qemu
}

# Two older processors for the native build: one without AVX, one with AVX2. They run kernels that the native run has
# tested at length; what is shown here is that the library keeps to them, whatever it does.
test_x86() { # SETUP [SUITE...]
    local setup=$1 cpu backend suites
    shift
    need "${base_packages[@]}" qemu-user
    build_native
    # QEMU 7.2 lets MXCSR's denormals-are-zeros reach VCVTPH2PS, which ignores it on processors.
    export CK_EXCLUDE_TAGS=f16-denormal-modes
    suites=("$@")
    [ $# -gt 0 ] || take_suites suites build "${again_leaves_out[@]}"
    # QEMU would warn of each feature that it lacks, in the output that tests look at.
    while read -r cpu backend; do
        take_processor qemu-x86_64 "$cpu" "$x86_scale"
        export FOVEA_TEST_BACKEND=$backend
        unit_suites build "$setup" --timeout-multiplier 2 --wrapper qemu-x86_64 "${suites[@]}"
        [ $# -gt 0 ] || check_program build qemu-x86_64 "$cpu" "$backend"
    done <<<$'Nehalem generic\nHaswell-noTSX,-pcid,-x2apic,-tsc-deadline,-invpcid avx2'
}
