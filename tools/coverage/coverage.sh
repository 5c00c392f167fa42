# Line and branch coverage of the library by the unit suites: sourced by dev.

# clang counts in the source, before it inlines; gcc's gcov would count each inlined copy of a template for itself.
coverage_packages=(clang libclang-rt-14-dev libomp-dev llvm)
coverage_aarch64_packages=(libclang-rt-14-dev:arm64)
coverage_openmp=libomp5-14

# What must be reached, in percent.
coverage_lines=97
coverage_branches=90

# Suites whose problems are many reach nothing by the last that they did not by the first. One run after another gives
# the same figures.
coverage_scale=${FOVEA_TEST_SCALE-0.05}
coverage_seed=${FOVEA_TEST_SEED-1}

# Of suites under QEMU.
coverage_aarch64_scale=${FOVEA_TEST_SCALE-0.01}

# Left out because they take long with what the other suites reach too, since their problems are large or many; or
# because they look at the program, whose own output a profile that cannot be written would disturb.
coverage_leaves_out=(accuracy threads metamorphic metamorphic_forms cli cli_run cli_files cli_display)

# The suites of kernels and whole calls; the rest looks at code that is the same on every architecture.
coverage_aarch64_suites=(dispatch panel_scores panel_terms panel_values pairs pair_calls row_reads row_bytes row_scores convert rope attention
    attention_forms found)

# Threads count together, so that counters are atomic. Optimisation does not change what is counted.
build_coverage() { # DIRECTORY LINK_OPTIONS OPTION...
    local directory=$1 links=$2
    local counters="-fprofile-instr-generate -fcoverage-mapping -fprofile-update=atomic"
    shift 2
    CC=clang configure "$directory" "$@" --buildtype=plain -Doptimization=1 -Dwerror=true -Dtests=enabled \
        -Dbench=disabled -Dcli=true -Ddefault_library=static -Db_lundef=false \
        -Dc_args="$counters '-fprofile-list=$PWD/tools/coverage/counted.list'" \
        -Dc_link_args="-fprofile-instr-generate $links" --
    compile "$directory"
    rm -rf "$directory/profiles"
    # Processes add to one of four files.
    export LLVM_PROFILE_FILE=$PWD/$directory/profiles/%4m.profraw
}

# What a build's tests reached, where tools/coverage looks for it.
export_coverage() { # DIRECTORY
    llvm-profdata merge -o "$1/coverage.profdata" "$1"/profiles/*.profraw
    llvm-cov export --skip-expansions --instr-profile="$1/coverage.profdata" "$1/tests/fovea-tests" >"$1/coverage.json"
}

# Every backend that the processor runs.
cover_native() {
    local suites
    build_coverage build-coverage '' "${runnable_backends[@]}"
    take_suites suites build-coverage "${coverage_leaves_out[@]}"
    FOVEA_TEST_SCALE=$coverage_scale unit_suites build-coverage quick --timeout-multiplier 4 "${suites[@]}"
    export_coverage build-coverage
}

download_openmp() { # FOLDER
    (cd "$1" && apt-get download -q -q -o APT::Sandbox::User=root "$coverage_openmp:arm64" >/dev/null)
}

# clang's OpenMP for AArch64 cannot be installed beside this machine's, so it is only unpacked.
fetch_openmp() { # FOLDER
    [ ! -e "$1/libomp.so" ] || return 0
    mkdir -p "$1"
    # With no or with outdated package lists the first try fails.
    download_openmp "$1" 2>/dev/null || { as_root apt-get update -q -q && download_openmp "$1"; } ||
        die "the package $coverage_openmp:arm64 cannot be downloaded"
    dpkg -x "$1/$coverage_openmp"_*.deb "$1"
    find "$1/usr" -type f -name libomp.so.5 -exec cp {} "$1" \;
    ln -s libomp.so.5 "$1/libomp.so"
}

# NEON, under QEMU.
cover_aarch64() {
    local openmp=$PWD/build-coverage-openmp
    need "${aarch64_packages[@]}" "${coverage_aarch64_packages[@]}"
    fetch_openmp "$openmp"
    build_coverage build-coverage-aarch64 "'-L$openmp' '-Wl,-rpath,$openmp'" \
        --cross-file cross/aarch64-linux-gnu.ini --cross-file tools/coverage/clang-aarch64.ini
    take_processor qemu-aarch64 max "$coverage_aarch64_scale"
    unit_suites build-coverage-aarch64 quick --timeout-multiplier 8 "${coverage_aarch64_suites[@]}"
    export_coverage build-coverage-aarch64
}

cmd_coverage() { # [--native]
    local builds=(build-coverage) without=() backend built detected _ why
    need "${base_packages[@]}" "${coverage_packages[@]}"
    # Counters make a test several times slower.
    export FOVEA_TEST_SEED=$coverage_seed CK_DEFAULT_TIMEOUT=${CK_DEFAULT_TIMEOUT-1200}
    cover_native
    # The rest of the line tells why a backend is not used.
    while read -r backend built detected _ why; do
        [ "$built $detected" != "yes no" ] || without+=(--without "arch/$backend=$why")
    done < <(build-coverage/tools/fovea info)
    if [ "${1-}" != --native ] && [ "$(uname -m)" = x86_64 ]; then
        cover_aarch64
        builds+=(build-coverage-aarch64)
    fi
    if python3 tools/coverage --lines $coverage_lines --branches $coverage_branches \
        --listing build-coverage/not-reached.txt "${without[@]}" "${builds[@]}"; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
    fi
    close_test
}
