#!/usr/bin/env bash
# Unpacks a QEMU and its firmware beside the system: one that knows TDX (10.1 or later), from Debian's
# newer suites, or the one of a suite that is named.
#
#   bash test/exec/qemu/unpack.sh [DIRECTORY [SUITE]]
#
# DIRECTORY then has `qemu-system-x86_64`, which runs the unpacked program with its own libraries, and
# `OVMF.fd`. Nothing is done where these are there already. Exits with 1, and a sentence, where it
# cannot be had.
set -euo pipefail

target=${1:-$(dirname "$0")/unpacked}
least_version=1:10.1
# Each line: the suites to take packages from, and the one that wins.
suites_to_try=("trixie trixie-backports" "testing" "unstable")
[ $# -lt 2 ] || { suites_to_try=("$2"); least_version=1; }

[ -x "$target/qemu-system-x86_64" ] && [ -e "$target/OVMF.fd" ] && exit 0
wanted="QEMU ${least_version#*:} or later"
. "$(dirname "$0")/../../../scripts/debian-packages.sh"

found=
for candidates in "${suites_to_try[@]}"; do
  fetch_from "$candidates" || continue
  version=$(newest qemu-system-x86)
  [ -n "$version" ] && dpkg --compare-versions "$version" ge "$least_version" && { found=yes; break; }
done
[ -n "$found" ] || give_up "${suites_to_try[*]} cannot be reached, or none has it"

mkdir -p "$target"
rm -rf "$target/root"
unpack_with_dependencies "$target/root" qemu-system-x86 ovmf
cp "$target/root/usr/share/ovmf/OVMF.fd" "$target/OVMF.fd"
wrap "$target" usr/bin/qemu-system-x86_64 -L '"$root/usr/share/qemu"' -L '"$root/usr/share/seabios"'
"$target/qemu-system-x86_64" --version | head -n 1
