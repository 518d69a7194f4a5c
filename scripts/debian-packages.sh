# Sourced by scripts that need packages of Debian which this machine has not: they are fetched from the
# mirror that this system uses and unpacked into a directory beside it. The system's own packages,
# sources and package state stay untouched, and no privilege is needed. What cannot be had ends the
# script with 1 and a sentence.
#
#   fetch_from SUITES            take packages from these suites of Debian; of two, the last wins
#   newest PACKAGE               the newest version there
#   unpack DIRECTORY PACKAGE...  the packages alone
#   unpack_with_dependencies DIRECTORY PACKAGE...
#   wrap DIRECTORY PROGRAM [ARGUMENT...]   a script in DIRECTORY that runs PROGRAM of DIRECTORY/root with
#                                          its own libraries; $root in an argument is for the script
set -euo pipefail

# What the sentence begins with.
wanted=${wanted:-packages of Debian}
give_up() { echo "no $wanted: $1" >&2; exit 1; }

command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null || give_up "this is no Debian"
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
[ -e "$keyring" ] || give_up "no keyring of Debian's archive"
# Wherever this system gets Debian from; told before the first `apt-get update` too.
mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | grep -m1 -E '/debian/?$') ||
  give_up "this system has no source of Debian's packages"

apt=$(mktemp -d)
trap 'rm -rf "$apt"' EXIT
mkdir -p "$apt"/{state/lists/partial,cache/archives/partial,empty}
: >"$apt/status"
apt_options=(
  -o Dir::State="$apt/state" -o Dir::State::status="$apt/status" -o Dir::Cache="$apt/cache"
  -o Dir::Etc::sourcelist="$apt/sources.list"
  -o Dir::Etc::sourceparts="$apt/empty" -o Dir::Etc::preferencesparts="$apt/empty"
  -o Acquire::Languages=none -o Acquire::Retries=1 -o Acquire::http::Timeout=20
  -o APT::Install-Recommends=false -o APT::Sandbox::User= -qq
)

# A mirror that answers slowly is as good as none.
beside() { timeout --kill-after=5 "${seconds:-300}" "$@"; }

fetch_from() {
  local suite
  suites=$1
  : >"$apt/sources.list"
  for suite in $suites; do
    echo "deb [signed-by=$keyring] $mirror $suite main" >>"$apt/sources.list"
  done
  # With a suite that the mirror has not, apt-get says so and ends with 0.
  beside apt-get "${apt_options[@]}" -o APT::Update::Error-Mode=any update >/dev/null 2>&1
}

newest() {
  apt-cache "${apt_options[@]}" madison "$1" | awk '{ print $3 }' | sort --version-sort | tail -n 1
}

unpack() {
  local directory=$1
  shift
  (cd "$apt/cache/archives" && beside apt-get "${apt_options[@]}" --target-release "${suites##* }" download "$@") \
    >/dev/null 2>&1 || give_up "$* cannot be downloaded"
  extract "$directory"
}

unpack_with_dependencies() {
  local directory=$1
  shift
  beside apt-get "${apt_options[@]}" --yes --target-release "${suites##* }" --download-only install "$@" \
    >/dev/null 2>&1 || give_up "$* cannot be downloaded"
  extract "$directory"
}

extract() {
  local package
  mkdir -p "$1"
  for package in "$apt"/cache/archives/*.deb; do
    dpkg-deb --extract "$package" "$1" || give_up "$(basename "$package") cannot be unpacked"
    rm "$package"
  done
}

# The libraries are others than the system's, so their own loader starts the program.
wrap() {
  local directory=$1 program=$2 file
  shift 2
  file=$directory/$(basename "$program")
  cat >"$file" <<WRAPPER
#!/bin/sh
root=\$(cd "\$(dirname "\$0")" && pwd)/root
for loader in "\$root"/usr/lib64/ld-linux-x86-64.so.2 "\$root"/lib64/ld-linux-x86-64.so.2; do
  [ -e "\$loader" ] && exec "\$loader" --library-path "\$root/usr/lib/x86_64-linux-gnu:\$root/lib/x86_64-linux-gnu" \\
    "\$root/$program" $* "\$@"
done
echo "no loader in \$root" >&2
exit 127
WRAPPER
  chmod +x "$file"
}
