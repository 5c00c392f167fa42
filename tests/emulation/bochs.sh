# AVX-512 on a machine that lacks it: sourced by dev. Bochs emulates a whole computer, so the tests run as the only
# programs of a Linux system that boots from a CD image and writes to a serial port, which is a file here.

bochs_packages=(bochs bochs-term bochsbios vgabios busybox-static cpio isolinux syslinux-common xorriso)

# Some hundred times slower than a processor: few random cases. After that many seconds the machine is taken away.
bochs_scale=${FOVEA_TEST_SCALE-0.01}
bochs_limit=2700

# Left out because they take minutes to hours there and look at code around the kernels that is the same on every
# backend: threads, faults, calls, limits, prefix and partition; at files: npy, cli* and fuzz. The problems of accuracy,
# extremes and metamorphic* are large or many; inherited compares with a backend that is not there; the kernels of pairs
# are portable C. Native runs hold all of them.
bochs_leaves_out=(threads faults calls partition npy cli cli_run cli_files cli_display fuzz accuracy extremes metamorphic
    metamorphic_forms inherited limits prefix pairs)

download_kernel() { # FOLDER
    local package
    package=$(apt-cache depends linux-image-cloud-amd64 | awk '$1 == "Depends:" { print $2; exit }') || return 1
    [ -n "$package" ] || return 1
    # apt's own user may not write here.
    (cd "$1" && apt-get download -q -q -o APT::Sandbox::User=root "$package" >/dev/null)
}

# The kernel that Debian boots on virtual machines; only the image in its package is needed.
fetch_kernel() { # FOLDER
    # With no or with outdated package lists the first try fails.
    download_kernel "$1" 2>/dev/null || { as_root apt-get update -q -q && download_kernel "$1"; } ||
        die "the package of a Linux kernel for virtual machines cannot be downloaded"
    dpkg -x "$1"/linux-image-*.deb "$1/kernel"
    mv "$1"/kernel/boot/vmlinuz-* "$1/cd/vmlinuz"
}

# The root file system: busybox, the programs where they find the library, and the shared libraries that they load.
make_root() { # FOLDER SUITE...
    local root=$1/root file
    shift
    mkdir -p "$root"/{bin,dev,proc,sys,tmp,build/{src,tests,tools}}
    cp /bin/busybox "$root/bin/busybox"
    cp build/tests/fovea-tests "$root/build/tests"
    cp build/tools/fovea "$root/build/tools"
    cp -L build/src/libfovea.so.0 "$root/build/src"
    while read -r file; do
        mkdir -p "$root${file%/*}"
        cp -L "$file" "$root$file"
    done < <(ldd build/tests/fovea-tests build/tools/fovea | grep -v libfovea | grep -o '/[^ :]* (0x' | cut -d ' ' -f 1 | sort -u)
    sed "s/@SUITES@/$*/; s/@SCALE@/$bochs_scale/; s/@SEED@/${FOVEA_TEST_SEED-$(date +%s)}/" \
        tests/emulation/init.in >"$root/init"
    chmod +x "$root/init"
}

make_cd() { # FOLDER
    cp /usr/lib/ISOLINUX/isolinux.bin /usr/lib/syslinux/modules/bios/ldlinux.c32 tests/emulation/isolinux.cfg "$1/cd"
    (cd "$1/root" && find . | cpio --quiet -o -H newc | gzip -1) >"$1/cd/initrd"
    xorriso -as mkisofs -quiet -o "$1/cd.iso" -b isolinux.bin -c boot.cat -no-emul-boot -boot-load-size 4 \
        -boot-info-table "$1/cd" >"$1/xorriso.log" 2>&1 || die "no CD image: $(cat "$1/xorriso.log")"
}

# Boots and runs to the power-off, writing what comes from the serial port to standard output.
boot() { # FOLDER
    sed "s#@FOLDER@#$1#" tests/emulation/bochsrc.in >"$1/bochsrc"
    # Debian's Bochs stops in its debugger first.
    echo continue >"$1/commands"
    : >"$1/serial"
    # In a process group of its own, which timeout ends as a whole.
    timeout --kill-after=5 "$bochs_limit" bochs -q -f "$1/bochsrc" -rc "$1/commands" </dev/null >"$1/bochs.log" 2>&1 &
    echo $! >"$1/pid"
    # Ends when the process is gone, of which this shell must take notice; it ends with 1 after a clean power-off too.
    tail --pid=$! -n +1 -f "$1/serial"
    wait $! || true
    rm -f "$1/pid"
}

stop_bochs() { # FOLDER
    [ ! -e "$1/pid" ] || kill "$(cat "$1/pid")" 2>/dev/null || true
    rm -rf "$1"
}

# Reads what /init writes: counts, a line for each suite, and all the output of one that failed. A suite without an end
# has failed, and so has one whose runner did not test the backend.
read_serial() { # SUITE...
    local line text='' ended=' ' suite status start=0 checks=0 bad=0
    while IFS= read -r line; do
        line=${line%$'\r'}
        text+=$line$'\n'
        if [[ $line =~ ^[0-9]+%:\ Checks:\ ([0-9]+),\ Failures:\ ([0-9]+),\ Errors:\ ([0-9]+)$ ]]; then
            checks=${BASH_REMATCH[1]} bad=$((BASH_REMATCH[2] + BASH_REMATCH[3]))
        elif [[ $line =~ ^@\ suite ]]; then
            text='' checks=0 bad=0 start=$SECONDS
        elif [[ $line =~ ^@\ status ]]; then
            read -r _ _ suite status <<<"$line"
            { [ "$status" = 0 ] && [ "$checks" -gt 0 ]; } || [ "$bad" -gt 0 ] || bad=1
            passed=$((passed + (checks > bad ? checks - bad : 0)))
            failed=$((failed + bad))
            ended+="$suite "
            [ "$bad" = 0 ] || printf '%s' "$text"
            printf '%-7s %s: %d checks, %d failed, %d s\n' "$([ "$bad" = 0 ] && echo ok || echo FAILED)" "$suite" \
                "$checks" "$bad" $((SECONDS - start))
            text=''
        fi
    done
    for suite in "$@"; do
        case $ended in
            *" $suite "*) continue ;;
        esac
        printf '%sFAILED  %s did not end\n' "$text" "$suite"
        failed=$((failed + 1))
        text=''
    done
}

# What is booted is built here, in a folder that goes with this shell.
prepare_bochs() {
    [ "$(uname -m)" = x86_64 ] || die "the tests of AVX-512 are compiled on x86-64"
    need "${base_packages[@]}" "${bochs_packages[@]}"
    build_native
    bochs_folder=$(mktemp -d)
    trap 'stop_bochs "$bochs_folder"' EXIT
}

# Runs suites, and writes what comes from the serial port to standard output.
run_under_bochs() { # SUITE...
    mkdir "$bochs_folder/cd"
    say "making a Linux system for Bochs" >&2
    fetch_kernel "$bochs_folder"
    make_root "$bochs_folder" "$@"
    make_cd "$bochs_folder"
    say "booting it" >&2
    boot "$bochs_folder"
}

test_avx512() { # SUITE...
    local suites=("$@")
    prepare_bochs
    # The slow suite is short at this scale.
    if [ $# = 0 ]; then
        take_suites suites build "${bochs_leaves_out[@]}"
        suites+=(exp2)
    fi
    read_serial "${suites[@]}" < <(run_under_bochs "${suites[@]}")
}

# What the suite numerics prints of AVX-512's errors, to a file.
print_avx512_numerics() { # FILE
    local scale
    scale=$(python3 tools/numerics.py --part)
    prepare_bochs
    bochs_scale=$scale FOVEA_TEST_SEED=1 run_under_bochs numerics >"$1"
}
