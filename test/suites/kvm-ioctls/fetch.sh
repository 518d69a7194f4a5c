#!/usr/bin/env bash
# Builds the tests of rust-vmm's kvm-ioctls, from Debian's Rust packages, beside the system.
#
#   bash test/suites/kvm-ioctls/fetch.sh DIRECTORY
#
# DIRECTORY then has `kvm-ioctls-tests`. Nothing is done where it is there already. Exits with 1, and a
# sentence, where it cannot be had.
set -euo pipefail

target=$1
[ -x "$target/kvm-ioctls-tests" ] && exit 0
wanted="tests of kvm-ioctls"
. "$(dirname "$0")/../../../scripts/debian-packages.sh"
command -v cc >/dev/null || give_up "there is no linker (cc)"

mkdir -p "$target"
target=$(cd "$target" && pwd)
rm -rf "$target/root"
fetch_from testing || fetch_from unstable || give_up "no suite of Debian that has it can be reached"
std=$(apt-cache "${apt_options[@]}" depends libstd-rust-dev | awk '/Depends: libstd-rust-/ { print $2; exit }')
[ -n "$std" ] || give_up "Debian has no rustc"
# A compiler without its linker, for which the system's does, and the sources that the tests are made
# from without what Debian's packages of them ask for besides.
compiler_libraries() {
  apt-cache "${apt_options[@]}" depends --recurse --no-recommends --no-suggests --no-conflicts \
    --no-breaks --no-replaces --no-enhances "$std" | grep -E '^(lib|zlib)[a-z0-9.+-]+$' | sort --unique
}
unpack "$target/root" rustc libstd-rust-dev $(compiler_libraries) \
  librust-{kvm-ioctls,kvm-bindings,vmm-sys-util,bitflags,bitflags-1,libc,byteorder}-dev
wrap "$target" usr/bin/rustc --sysroot '"$root/usr"'

crates=$target/root/usr/share/cargo/registry
compile() {
  local name=$1 source
  source=$(echo "$crates"/$2/src/lib.rs)
  shift 2
  beside "$target/rustc" --crate-name "$name" --cap-lints allow -L "$target" --out-dir "$target" "$@" "$source" \
    >>"$target/build.log" 2>&1 || give_up "$name does not build: see $target/build.log"
}
library() { compile "$@" --crate-type rlib; }
use() { echo --extern "$1=$target/lib${2:-$1}.rlib"; }

: >"$target/build.log"
library libc 'libc-0.*' --edition 2021 --cfg 'feature="std"'
library byteorder 'byteorder-1.*' --edition 2021 --cfg 'feature="std"'
library bitflags 'bitflags-1.*' --edition 2018 -C metadata=1 -C extra-filename=-1
library bitflags 'bitflags-2.*' --edition 2021 -C metadata=2 -C extra-filename=-2
library vmm_sys_util 'vmm-sys-util-*' --edition 2021 $(use libc) $(use bitflags bitflags-1)
library kvm_bindings 'kvm-bindings-*' --edition 2024 --cfg 'feature="fam-wrappers"' $(use vmm_sys_util)
compile kvm_ioctls 'kvm-ioctls-*' --test --edition 2024 $(use libc) $(use byteorder) \
  $(use bitflags bitflags-2) $(use vmm_sys_util) $(use kvm_bindings)
mv "$target/kvm_ioctls" "$target/kvm-ioctls-tests"
basename "$crates"/kvm-ioctls-* >"$target/version"
# Half a gibibyte that nothing needs any more.
rm -r "$target"/{root,rustc,*.rlib}
