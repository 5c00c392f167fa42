# Fuzzing: sourced by dev. See CONTRIBUTING.md. The targets are built twice, because libFuzzer and AFL++ each instrument the library in their
# own way; both builds have clang's address and undefined-behaviour sanitizers.

fuzz_packages=(clang libclang-rt-14-dev libomp-dev afl++)
fuzz_targets=(attention arguments plans append rope merge prefix npy)

# What is kept between runs: inputs that reached something new, and those that failed.
fuzz_inputs=build-fuzz/inputs
fuzz_findings=build-fuzz/findings

# A failed assertion or a report ends the program, as either fuzzer expects; AFL++ demands the unsymbolised form.
fuzz_environment=(ASAN_OPTIONS=abort_on_error=1:symbolize=0:detect_leaks=0:handle_abort=0
    UBSAN_OPTIONS=abort_on_error=1:symbolize=0:print_stacktrace=1
    FOVEA_TEST_EXECUTOR=pthread)

# Bytes of an input at most: more than a target reads. Seconds of one input at most, on a machine with other work.
fuzz_most=400
fuzz_patience=120

build_fuzz() { # libfuzzer | afl [TARGET...]
    local directory=build-fuzz compiler=clang flags=(-Dc_args=-fsanitize=fuzzer-no-link) fuzzer=$1
    shift
    need "${base_packages[@]}" "${fuzz_packages[@]}"
    if [ "$fuzzer" = afl ]; then
        directory=build-afl compiler=afl-clang-fast flags=()
    fi
    CC=$compiler CXX=clang++ configure "$directory" --buildtype=debugoptimized -Dwerror=true -Dtests=enabled \
        -Dbench=disabled -Dfuzz=true -Db_sanitize=address,undefined -Db_lundef=false -Ddefault_library=static \
        "${flags[@]}" "${runnable_backends[@]}" --
    # AFL++ knows by name what is not to be watched; libFuzzer's flags of it are in meson.build.
    AFL_QUIET=1 AFL_LLVM_DENYLIST=$PWD/tests/fuzz/unwatched compile "$directory" "${@/#/tests/fuzz/fuzz-}"
}

fuzz_program() { # libfuzzer | afl TARGET
    local directory=build-fuzz
    [ "$1" = libfuzzer ] || directory=build-afl
    printf '%s/tests/fuzz/fuzz-%s' "$directory" "$2"
}

# What libFuzzer found is fed to its program again, for the problem and the report with names.
show_findings() { # TARGET
    local file shown=1
    for file in "$fuzz_findings/$1"/*; do
        [ -e "$file" ] || continue
        shown=0
        printf '\nFOUND   %s; again: ./dev fuzz --replay %s %s\n' "$file" "$1" "$file"
        replay "$1" "$file" 2>&1 | grep -vE '^(INFO|Running|NOTE)' | head -n 40
    done
    return $shown
}

replay() { # TARGET FILE...
    local target=$1
    shift
    FOVEA_TEST_EXECUTOR=pthread UBSAN_OPTIONS=print_stacktrace=1 "$(fuzz_program libfuzzer "$target")" "$@"
}

# Each fuzzer's run prints executions and edges reached.
run_libfuzzer() { # TARGET SECONDS
    local log
    log=$(env "${fuzz_environment[@]}" "$(fuzz_program libfuzzer "$1")" -max_total_time="$2" -max_len=$fuzz_most \
        -len_control=0 -timeout=$fuzz_patience -print_final_stats=1 -artifact_prefix="$fuzz_findings/$1/" \
        "$fuzz_inputs/$1" "tests/fuzz/corpus/$1" 2>&1) || true
    # Slow is what the machine's other work makes it.
    rm -f "$fuzz_findings/$1"/slow-unit-*
    printf '%s %s\n' "$(sed -n 's/^stat::number_of_executed_units: *//p' <<<"$log")" \
        "$(sed -n 's/.* cov: \([0-9]*\) .*/\1/p' <<<"$log" | tail -n 1)"
}

# It cannot run without a seed that passes, nor into a folder that it would have to resume.
run_afl() { # TARGET SECONDS
    local file folder
    folder=$(mktemp -d)
    env "${fuzz_environment[@]}" AFL_NO_UI=1 AFL_NO_AFFINITY=1 AFL_SKIP_CPUFREQ=1 AFL_NO_STARTUP_CALIBRATION=1 \
        AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES=1 AFL_CRASHING_SEEDS_AS_NEW_CRASH=1 AFL_FORKSRV_INIT_TMOUT=60000 \
        afl-fuzz -i "tests/fuzz/corpus/$1" -o "$folder" -V "$2" -G $fuzz_most -m none -t $((fuzz_patience * 1000)) \
        -- "$(fuzz_program afl "$1")" >"$folder/log" 2>&1 || tail -n 5 "$folder/log" >&2
    for file in "$folder"/default/crashes/id:* "$folder"/default/hangs/id:*; do
        [ ! -e "$file" ] || cp "$file" "$fuzz_findings/$1/afl-$(sha1sum <"$file" | cut -c 1-16)"
    done
    for file in "$folder"/default/queue/id:*; do
        [ ! -e "$file" ] || cp "$file" "$fuzz_inputs/$1/$(sha1sum <"$file" | cut -d ' ' -f 1)"
    done
    printf '%s %s\n' "$(sed -n 's/^execs_done *: *//p' "$folder/default/fuzzer_stats")" \
        "$(sed -n 's/^edges_found *: *//p' "$folder/default/fuzzer_stats")"
    rm -rf "$folder"
}

# One fuzzer on one target, which counts as a check.
fuzz_one() { # libfuzzer | afl TARGET SECONDS
    local executions edges
    mkdir -p "$fuzz_inputs/$2" "$fuzz_findings/$2"
    read -r executions edges < <("run_$1" "$2" "$3")
    if [ "${executions:-0}" -gt 0 ] && [ -z "$(ls -A "$fuzz_findings/$2")" ]; then
        printf 'ok      %s %s: %d executions in %d s, %d edges\n' "$1" "$2" "$executions" "$3" "${edges:-0}"
        passed=$((passed + 1))
    else
        printf 'FAILED  %s %s: %d executions\n' "$1" "$2" "${executions:-0}"
        failed=$((failed + 1))
    fi
}

fuzz() { # MINUTES [TARGET...]
    local minutes=$1 fuzzer target seconds
    shift
    [ $# -gt 0 ] || set -- "${fuzz_targets[@]}"
    seconds=$((minutes * 60 / (2 * $#)))
    for fuzzer in libfuzzer afl; do
        build_fuzz "$fuzzer" "$@"
        for target in "$@"; do
            fuzz_one "$fuzzer" "$target" "$seconds"
        done
    done
    for target in "$@"; do
        show_findings "$target" || true
    done
    close_test
}

# Every target on its corpus, and a few seconds more: that fuzzing works, not that it finds nothing. What earlier runs
# kept would take longer, and is left alone.
fuzz_smoke() {
    local target seconds=4 fuzz_inputs fuzz_findings
    build_fuzz libfuzzer "${fuzz_targets[@]}"
    fuzz_inputs=$(mktemp -d)
    fuzz_findings=build-fuzz/smoke
    rm -rf "$fuzz_findings"
    for target in "${fuzz_targets[@]}"; do
        fuzz_one libfuzzer "$target" $seconds
        show_findings "$target" || true
    done
    rm -rf "$fuzz_inputs"
    close_test
}

# Inputs that together reach all that was reached, as many as a repository should hold.
distil() { # [TARGET...]
    local target folder most=60
    [ $# -gt 0 ] || set -- "${fuzz_targets[@]}"
    build_fuzz libfuzzer "$@"
    for target in "$@"; do
        folder=$(mktemp -d)
        env "${fuzz_environment[@]}" "$(fuzz_program libfuzzer "$target")" -set_cover_merge=1 -max_len=$fuzz_most \
            "$folder" "tests/fuzz/corpus/$target" "$fuzz_inputs/$target" >/dev/null 2>&1 || die "fuzz: $target cannot be distilled"
        rm -f "tests/fuzz/corpus/$target"/*
        # A merge writes the input first that adds the most to those before it.
        find "$folder" -type f -printf '%T@ %p\n' | sort -n | head -n $most | cut -d ' ' -f 2 |
            xargs -I {} cp {} "tests/fuzz/corpus/$target"
        printf '%s: %d inputs, of which the corpus has %d\n' "$target" "$(find "$folder" -type f | wc -l)" \
            "$(find "tests/fuzz/corpus/$target" -type f | wc -l)"
        rm -rf "$folder"
    done
}

cmd_fuzz() {
    local minutes action=${1-}
    [ $# = 0 ] || shift
    case $action in
        --minutes)
            minutes=${1-}
            [[ $minutes =~ ^[1-9][0-9]*$ ]] || die "fuzz: --minutes takes a number"
            shift
            fuzz "$minutes" "$@"
            ;;
        --smoke) fuzz_smoke ;;
        --replay)
            [ $# -ge 2 ] || die "fuzz: --replay takes a target and files"
            build_fuzz libfuzzer "$1"
            replay "$@"
            ;;
        --distil) distil "$@" ;;
        *) die "fuzz: --minutes N [TARGET...], --smoke, --replay TARGET FILE..., or --distil [TARGET...]" ;;
    esac
}
