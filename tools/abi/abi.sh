# The binary interface of the library against its record: sourced by dev.

abi_packages=(abigail-tools)
abi_record=tools/abi/fovea.xml

# With debugging information, and the portable backend alone: the interface is that of the baseline code.
build_abi() { # FOLDER
    gcc -std=c11 -D_GNU_SOURCE -O0 -g -fPIC -shared -fvisibility=hidden -fopenmp -DFV_HAVE_generic -Iinclude -I. \
        -ffile-prefix-map="$PWD"=. -o "$1/libfovea.so" src/*.c arch/generic/*.c arch/"$(abi_processor)"/cpu.c -lsleef -lm
}

abi_processor() {
    case $(uname -m) in
        x86_64) echo x86 ;;
        aarch64) echo arm ;;
        *) echo other ;;
    esac
}

# Without paths: those of a machine are nobody's business, and locations change with every comment.
abi_of() { # FOLDER
    abidw --headers-dir include/fovea --drop-private-types --no-corpus-path --no-comp-dir-path --no-show-locs \
        --no-elf-needed --exported-interfaces-only "$1/libfovea.so"
}

# The interface is the same on 64-bit Linux; the record is x86-64's.
check_abi() {
    [ "$(uname -m)" = x86_64 ] || die "check abi: the record is x86-64's"
    local folder status=0
    folder=$(mktemp -d)
    build_abi "$folder" && abi_of "$folder" >"$folder/new.xml" &&
        python3 tools/check_abi.py "$abi_record" "$folder/new.xml" || status=1
    rm -rf "$folder"
    return $status
}

# Puts the interface of this build on record; the reason goes into the list beside it.
record_abi() { # --reason WHY
    [ "${1-}" = --reason ] && [ -n "${2-}" ] || die "check abi --update --reason 'WHY'"
    need "${base_packages[@]}" "${abi_packages[@]}"
    local folder
    folder=$(mktemp -d)
    build_abi "$folder"
    abi_of "$folder" >"$abi_record"
    rm -rf "$folder"
    printf -- '- %s: %s\n' "$(sed -n "s/^  version : '\(.*\)',/\1/p" meson.build | head -n 1)" "$2" >>tools/abi/changes.md
}
