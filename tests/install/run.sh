#!/bin/bash
# Uses fovea as its users do: from an installed copy through pkg-config and CMake, and as a Meson subproject.
#
# usage: tests/install/run.sh BUILD_DIR
#
# Installs a built tree under a temporary folder and compiles small programs against it. Ends with "N passed, N failed".
# shellcheck disable=SC2317 # functions are called through check
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 1
export PATH=/usr/bin:$PATH
build=$1
here=tests/install
cc=${CC:-cc}
cxx=${CXX:-c++}
warnings=(-Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror)
passed=0
failed=0

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

check() { # NAME COMMAND...
    local name=$1 output
    shift
    if output=$("$@" 2>&1); then
        printf 'ok      install: %s\n' "$name"
        passed=$((passed + 1))
    else
        printf '%s\nFAILED  install: %s\n' "$output" "$name"
        failed=$((failed + 1))
    fi
}

finish() {
    printf '%d passed, %d failed\n' "$passed" "$failed"
    [ "$failed" = 0 ]
    exit
}

check 'meson install' meson install -C "$build" --no-rebuild --quiet --destdir "$work/root"
[ "$failed" = 0 ] || finish

# Where things landed: the build's prefix under the temporary root.
pc=$(find "$work/root" -name fovea.pc)
libdir=$(dirname "$(dirname "$pc")")
prefix=$(dirname "$(dirname "$(find "$work/root" -path '*/include/fovea')")")
export PKG_CONFIG_PATH=${pc%/*} LD_LIBRARY_PATH=$libdir

# ---- Headers ----

one_header() { # HEADER
    printf '#include <fovea/%s>\nint use_of_header;\n' "$1" >"$work/header.c"
    "$cc" -std=c11 "${warnings[@]}" -I"$prefix/include" -fsyntax-only "$work/header.c" &&
        "$cxx" -std=c++17 "${warnings[@]}" -I"$prefix/include" -x c++ -fsyntax-only "$work/header.c"
}

for header in "$prefix"/include/fovea/*.h; do
    check "${header##*/} alone, as C11 and C++17" one_header "${header##*/}"
done

all_headers() {
    diff <(cd include/fovea && echo ./*.h) <(cd "$prefix/include/fovea" && echo ./*)
}
check 'every public header' all_headers

# ---- pkg-config ----

# The package file names the final prefix; the copy lies under the temporary root.
package() {
    pkg-config --define-variable=prefix="$prefix" "$@" fovea
}

through_pkg_config() { # COMPILER STANDARD SOURCE [LIBRARY]
    local cflags libs
    cflags=$(package --cflags) && libs=$(package --libs ${4+--static}) || return 1
    libs=${libs/-lfovea/${4--lfovea}}
    # shellcheck disable=SC2086
    "$1" -std="$2" "${warnings[@]}" $cflags "$3" -o "$work/program" $libs && "$work/program"
}

version_is_the_headers() {
    [ "$(package --modversion)" = "$(sed -n 's/^#define FOVEA_VERSION_.* //p' "$prefix/include/fovea/version.h" | paste -sd.)" ]
}

check 'C program, pkg-config' through_pkg_config "$cc" c11 "$here"/use.c
check 'C++ program, pkg-config' through_pkg_config "$cxx" c++17 "$here"/use.cc
check 'C program, pkg-config --static' through_pkg_config "$cc" c11 "$here"/use.c -l:libfovea.a
check 'version' version_is_the_headers

soname() {
    objdump -p "$libdir/libfovea.so" | grep -q "SONAME *libfovea\.so\.[0-9.]*$" &&
        [ -e "$libdir/$(objdump -p "$libdir/libfovea.so" | awk '/SONAME/ {print $2}')" ]
}
check 'versioned soname' soname

# ---- The README's example ----

readme_example() {
    # shellcheck disable=SC2016
    sed -n '/^```c$/,/^```$/{/^```/!p}' README.md | diff - examples/attention.c
}
check "README shows examples/attention.c" readme_example

example_says() { # SOURCE PATTERN
    through_pkg_config "$cc" c11 "$1" | grep -q "$2"
}
check 'examples/attention.c' example_says examples/attention.c ': 5\.000$'
check 'examples/decode.c' example_says examples/decode.c '^token 119: 59\.500$'

# ---- CMake ----

cmake_project() {
    cmake -G Ninja -S "$here"/cmake -B "$work/cmake" -DCMAKE_PREFIX_PATH="$prefix" -DCMAKE_BUILD_TYPE=Release &&
        cmake --build "$work/cmake" && "$work/cmake/c_fovea" && "$work/cmake/c_fovea_static" && "$work/cmake/cxx_fovea"
}
check 'CMake project, find_package' cmake_project

cmake_refuses_other_version() {
    sed 's/fovea 0\.1/fovea 9.9/' "$here"/cmake/CMakeLists.txt >"$work/CMakeLists.txt"
    local output
    output=$(cmake -G Ninja -S "$work" -B "$work/cmake-other" -DCMAKE_PREFIX_PATH="$prefix" 2>&1) && return 1
    printf '%s\n' "$output"
    grep -q 'with requested version "9.9"' <<<"$output"
}
check 'CMake refuses another version' cmake_refuses_other_version

# ---- Meson subproject ----

subproject() {
    local project=$work/subproject
    mkdir -p "$project/subprojects" &&
        cp "$here"/subproject/meson.build "$here"/use.c "$here"/use.cc "$project" &&
        ln -s "$PWD" "$project/subprojects/fovea" &&
        meson setup "$project/build" "$project" --force-fallback-for=fovea -Dfovea:cli=false --buildtype=plain &&
        meson test -C "$project/build" --print-errorlogs --suite uses-fovea
}
check 'Meson subproject' subproject

finish
