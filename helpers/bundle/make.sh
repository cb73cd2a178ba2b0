#!/bin/sh
# make bundle: one archive from which a room without internet installs the course, on Debian or Ubuntu.
#
# It holds what requirements.txt pins as wheels, the .deb packages of the server, of Python and of make with all that
# they need, the course as the last commit holds it, and install.sh. It fits machines like this one: the same release, the
# same processor, the same Python.
set -eu
cd "$(dirname "$0")/../.."
python=.venv/bin/python
folder=.venv/bundle

say() { echo "$*" >&2; }
die() { say "$@"; exit 1; }

command -v apt-get >/dev/null || die "make bundle needs Debian or Ubuntu: it packs their packages."
. "${OS_RELEASE:-/etc/os-release}"
version=$($python -c 'import sys; print("%d.%d" % sys.version_info[:2])')
system=$(PATH=/usr/bin:/bin python3 -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null || echo none)
[ "$version" = "$system" ] ||
  die "The wheels would be for Python $version, and the packages of this system bring Python $system." \
      "Make the environment with the system's Python first: make clean bundle PYTHON=/usr/bin/python3"

name=generators-course-$ID-$VERSION_ID-$(uname -m)
rm -rf $folder
mkdir -p "$folder/$name/wheels" "$folder/$name/debs/partial" "$folder/$name/course"

say "Wheels of requirements.txt ..."
$python -m pip wheel --quiet --disable-pip-version-check -r requirements.txt -w "$folder/$name/wheels"

say "Packages of the system ..."
# With no package called installed, apt fetches all that the three need, whatever this machine has already. Its lists
# must be there: `apt-get update`, as root, fetches them
: >$folder/status
apt-get -o "Dir::State::status=$PWD/$folder/status" -o "Dir::Cache::archives=$PWD/$folder/$name/debs" \
  -o "Dir::Cache::pkgcache=" -o "Dir::Cache::srcpkgcache=" -o Debug::NoLocking=1 -o APT::Sandbox::User="$(id -un)" \
  -o "Dir::State::extended_states=$PWD/$folder/status" \
  install --download-only --yes --no-install-recommends mariadb-server-core mariadb-client-core python3-venv make \
  >$folder/log 2>&1 || { tail -n 5 $folder/log >&2; die "apt-get could not fetch the packages. Is \`apt-get update\` done?"; }
rm -rf "$folder/$name/debs/partial" "$folder/$name/debs/lock"

git archive HEAD | tar -x -C "$folder/$name/course"
cp helpers/bundle/install.sh "$folder/$name/"
echo "$ID $VERSION_ID $(uname -m)" >"$folder/$name/made_for"
tar -C $folder -cf "$folder/$name.tar" "$name"
rm -rf "${folder:?}/$name" $folder/status $folder/log
say "$folder/$name.tar: $(($(wc -c <"$folder/$name.tar") / 1000000)) MB." \
    "On each machine: tar -xf $name.tar && sh $name/install.sh"
