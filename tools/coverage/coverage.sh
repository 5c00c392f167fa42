# Line and branch coverage of the library by the unit suites: sourced by dev.

coverage_packages=(gcovr)

# What must be reached, in percent.
coverage_lines=97
coverage_branches=90

# Suites whose problems are many reach nothing by the last that they did not by the first.
coverage_scale=${FOVEA_TEST_SCALE-0.1}

# Branches that gcc adds are nobody's.
gcovr_options=(--root . --filter 'src/' --filter 'arch/' --exclude-unreachable-branches)

# Threads count together, so that counters are atomic.
build_coverage() { # DIRECTORY OPTION...
    local directory=$1
    shift
    configure "$directory" "$@" --buildtype=debug -Dwerror=true -Dtests=enabled -Dbench=disabled -Dcli=true \
        -Db_coverage=true -Dc_args=-fprofile-update=atomic -Ddefault_library=static --
    compile "$directory"
    find "$directory" -name '*.gcda' -delete
}

# Every backend that the processor runs.
cover_native() { # TRACEFILE
    build_coverage build-coverage
    FOVEA_TEST_SCALE=$coverage_scale unit_suites build-coverage quick --timeout-multiplier 4
    gcovr "${gcovr_options[@]}" --json "$1" build-coverage
}

# NEON, under QEMU: the counters are written where the cross compiler's objects lie, as natively.
cover_aarch64() { # TRACEFILE
    need "${aarch64_packages[@]}"
    build_coverage build-coverage-aarch64 --cross-file cross/aarch64-linux-gnu.ini
    take_processor qemu-aarch64 max "$aarch64_scale"
    unit_suites build-coverage-aarch64 quick --timeout-multiplier 8 "${coverage_aarch64_suites[@]}"
    gcovr "${gcovr_options[@]}" --gcov-executable aarch64-linux-gnu-gcov --json "$1" build-coverage-aarch64
}

# The suites of kernels and whole calls; the rest looks at code that is the same on every architecture.
coverage_aarch64_suites=(dispatch panel_kernels pairs row_kernels convert attention found)

cmd_coverage() {
    local folder=build-coverage/report
    need "${base_packages[@]}" "${coverage_packages[@]}"
    cover_native "$PWD/build-coverage-native.json"
    local traces=(--add-tracefile build-coverage-native.json)
    if [ "${1-}" != --native ] && [ "$(uname -m)" = x86_64 ]; then
        cover_aarch64 "$PWD/build-coverage-aarch64.json"
        traces+=(--add-tracefile build-coverage-aarch64.json)
    fi
    mkdir -p "$folder"
    check_one coverage gcovr "${gcovr_options[@]}" "${traces[@]}" --html-details "$folder/index.html" \
        --txt "$folder/summary.txt" --print-summary --fail-under-line $coverage_lines \
        --fail-under-branch $coverage_branches
    grep -E '^(TOTAL|src|arch)' "$folder/summary.txt" || true
    say "$folder/index.html"
    close_test
}
