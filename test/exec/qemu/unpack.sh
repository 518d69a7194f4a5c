#!/usr/bin/env bash
# Unpacks a QEMU that knows TDX (10.1 or later) and its firmware beside the system, from Debian's newer
# suites: the system's own packages, sources and package state stay untouched, and no privilege is needed.
#
#   bash test/exec/qemu/unpack.sh [DIRECTORY]
#
# DIRECTORY then has `qemu-system-x86_64`, a wrapper that runs the unpacked program with its own
# libraries, and `OVMF.fd`. Nothing is done where these are there already. Exits with 1, and a
# sentence, where it cannot be had.
set -euo pipefail

target=${1:-$(dirname "$0")/unpacked}
least_version=1:10.1
# Each line: the suites to take packages from, and the one that wins.
suites_to_try=("trixie trixie-backports" "testing" "unstable")

give_up() { echo "no QEMU with TDX: $1" >&2; exit 1; }

[ -x "$target/qemu-system-x86_64" ] && [ -e "$target/OVMF.fd" ] && exit 0
command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null || give_up "this is no Debian"
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
[ -e "$keyring" ] || give_up "no keyring of Debian's archive"
# Wherever this system gets Debian from; told before the first `apt-get update` too.
mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | grep -m1 -E '/debian/?$') ||
  give_up "this system has no source of Debian's packages"

mkdir -p "$target"
target=$(cd "$target" && pwd)
apt=$(mktemp -d)
trap 'rm -rf "$apt"' EXIT
mkdir -p "$apt"/{state/lists/partial,cache/archives/partial}
: >"$apt/status"
options=(
  -o Dir::State="$apt/state" -o Dir::State::status="$apt/status" -o Dir::Cache="$apt/cache"
  -o Dir::Etc::sourcelist="$apt/sources.list" -o Dir::Etc::sourceparts=- -o Dir::Etc::preferencesparts=-
  -o APT::Install-Recommends=false -o APT::Sandbox::User= -qq
)

download() {
  local wins=${1##* } version
  : >"$apt/sources.list"
  for suite in $1; do
    echo "deb [signed-by=$keyring] $mirror $suite main" >>"$apt/sources.list"
  done
  apt-get "${options[@]}" update 2>/dev/null || return 1
  version=$(apt-cache "${options[@]}" madison qemu-system-x86 | awk '{ print $3 }' |
    sort --version-sort | tail -n 1)
  [ -n "$version" ] && dpkg --compare-versions "$version" ge "$least_version" || return 1
  apt-get "${options[@]}" --yes --target-release "$wins" --download-only install \
    qemu-system-x86 ovmf >/dev/null 2>&1
}

found=
for suites in "${suites_to_try[@]}"; do
  download "$suites" && { found=$suites; break; }
done
[ -n "$found" ] || give_up "none of Debian's newer suites can be reached, or none has it"

rm -rf "$target/root"
mkdir "$target/root"
for package in "$apt"/cache/archives/*.deb; do dpkg-deb --extract "$package" "$target/root"; done
cp "$target/root/usr/share/ovmf/OVMF.fd" "$target/OVMF.fd"

# Its libraries are newer than the system's, so its own loader starts it.
cat >"$target/qemu-system-x86_64" <<'WRAPPER'
#!/bin/sh
root=$(dirname "$0")/root
for loader in "$root"/usr/lib64/ld-linux-x86-64.so.2 "$root"/lib64/ld-linux-x86-64.so.2; do
  [ -e "$loader" ] && exec "$loader" --library-path "$root/usr/lib/x86_64-linux-gnu:$root/lib/x86_64-linux-gnu" \
    "$root/usr/bin/qemu-system-x86_64" -L "$root/usr/share/qemu" -L "$root/usr/share/seabios" "$@"
done
echo "no loader in $root" >&2
exit 127
WRAPPER
chmod +x "$target/qemu-system-x86_64"
"$target/qemu-system-x86_64" --version | head -n 1
