#!/bin/sh
# Install the course on a machine without internet:  sh install.sh [FOLDER]      (default: generators-course, at home)
#
# It installs packages of the system only where a program is missing, as root or with a sudo that asks nothing.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
folder=${1:-$HOME/generators-course}

say() { echo "$*" >&2; }
die() { say "$@"; exit 1; }

# Is all there that the packages of the system bring?
have_all() {
  command -v make >/dev/null && python3 -c 'import ensurepip, venv' 2>/dev/null &&
    python3 "$here/course/helpers/server.py" find >/dev/null 2>&1
}

# install DEB…: with what is here alone
install() {
  $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@" >"$log" 2>&1
}

packages() {
  if [ "$(id -u)" = 0 ]; then as_root="env"
  elif sudo -n true 2>/dev/null; then as_root="sudo -n"
  else die "Programs are missing, and installing them needs root: sudo sh $0 packages"
  fi
  log=$(mktemp)
  set --
  for deb in "$here"/debs/*.deb; do
    package=${deb##*/}
    dpkg -s "${package%%_*}" >/dev/null 2>&1 || set -- "$@" "$deb"
  done
  say "Installing $# packages of the system ..."
  # What is here already may be older than what they need: then with all of them
  install "$@" || install "$here"/debs/*.deb || { tail -n 5 "$log" >&2; die "apt-get could not install them: $log"; }
  rm -f "$log"
}

. "${OS_RELEASE:-/etc/os-release}"
[ "$(cat "$here/made_for")" = "$ID $VERSION_ID $(uname -m)" ] ||
  die "This bundle was made for $(cat "$here/made_for"); this machine is $ID $VERSION_ID $(uname -m)." \
      "Make one on a machine like this one: make bundle"
have_all || packages
[ "${1:-}" = packages ] && exit
[ ! -e "$folder" ] || die "$folder is there already. Name another folder: sh $0 FOLDER"
cp -R "$here/course" "$folder"
PIP_NO_INDEX=1 PIP_FIND_LINKS=$here/wheels PIP_CONFIG_FILE=/dev/null make -s -C "$folder" copies
say "The course is in $folder. To start:  cd $folder && make lab"
