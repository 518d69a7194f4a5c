#!/usr/bin/env bash
# Builds KVM selftests of Linux 7.3, from Debian's source package, beside the system.
#
#   bash test/suites/kvm-selftests/fetch.sh DIRECTORY [TEST...]
#
# DIRECTORY then has `kvm/TEST` for each, or for every test of x86 where none is named. What is there
# already is not made again. Exits with 1, and a sentence, where they cannot be had.
set -euo pipefail

target=$1
shift
host_parts=$(cd "$(dirname "$0")/host-parts" && pwd)
wanted="KVM selftests of Linux 7.3"
. "$(dirname "$0")/../../../scripts/debian-packages.sh"
for tool in gcc make tar xz; do
  command -v "$tool" >/dev/null || give_up "$tool is not installed"
done

linux=linux-source-7.3
# What the tests are made from; all of the kernel would be 1.6 GiB.
parts=(
  scripts/subarch.include
  tools/{arch/x86/include,build,include,lib/rbtree.c,scripts}
  tools/testing/selftests/{cgroup,clone3,kvm,rseq,vfio,lib.mk,kselftest.h,kselftest_harness.h,kselftest_module.h}
)

get_source() {
  local got=$target/$linux.new version
  rm -rf "$got"
  fetch_from "trixie trixie-backports" || give_up "trixie-backports cannot be reached"
  version=$(newest "$linux")
  [ -n "$version" ] || give_up "trixie-backports has it no longer"
  unpack "$got" "$linux=$version" "linux-libc-dev=$version"
  tar -xJf "$got/usr/src/$linux.tar.xz" -C "$got" --strip-components=1 "${parts[@]/#/$linux/}" ||
    give_up "the source has not the files that were looked for"
  rm "$got/usr/src/$linux.tar.xz"
  # Where `make headers_install` would have put them.
  ln -s x86_64-linux-gnu/asm "$got/usr/include/asm"
  mv "$got" "$target/$linux"
}

mkdir -p "$target"
target=$(cd "$target" && pwd)
[ -d "$target/$linux" ] || get_source
kvm=$target/$linux/tools/testing/selftests/kvm
ln -sfn "$kvm" "$target/kvm"

# Ours, which leave out the guest code of tests that have more than that.
cp --update "$host_parts"/*.c "$kvm/"

# Without a part that only irq_test needs, with devices handed to it, and a library that Debian's
# development packages would have to bring. A test that does not build is told by its absence.
: >"$target/build.log"
build() {
  seconds=1200 beside make --directory "$kvm" --jobs 2 --keep-going ARCH=x86 LIBVFIO_O= LDLIBS=-ldl "$@" \
    >>"$target/build.log" 2>&1 || true
}
if [ $# -eq 0 ]; then
  build
  set -- $(cd "$host_parts" && basename --multiple --suffix .c *.c)
fi
build TEST_GEN_PROGS_x86="$*" TEST_GEN_PROGS_EXTENDED_x86= TEST_PROGS_x86=
[ -e "$kvm/lib/kvm_util.o" ] || give_up "the library of the tests does not build: see $target/build.log"
