#!/usr/bin/env bash
# Unpacks a kernel of Debian with its modules, and a busybox, beside the system.
#
#   bash scripts/boot-linux/unpack.sh DIRECTORY SUITE
#
# Nothing is done where they are there already. Exits with 1, and a sentence, where they cannot be had.
set -euo pipefail

target=$1
[ -e "$target/complete" ] && exit 0
wanted="Linux of Debian $2"
. "$(dirname "$0")/../debian-packages.sh"

fetch_from "$2" || give_up "$2 cannot be reached"
kernel=$(apt-cache "${apt_options[@]}" depends linux-image-cloud-amd64 | awk '/Depends: linux-image-[0-9]/ { print $2; exit }')
[ -n "$kernel" ] || give_up "$2 has no linux-image-cloud-amd64"
rm -rf "$target"
mkdir -p "$target"
unpack "$target" "$kernel" busybox-static
touch "$target/complete"
