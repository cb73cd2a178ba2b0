#!/bin/sh
# What `make` calls to get ready; each part does nothing where nothing is missing.
#
#   setup.sh venv      .venv with what requirements.txt pins   (PYTHON=… picks the Python)
#   setup.sh server    a MySQL or MariaDB server program; lab_server warns where there is none, and goes on
#   setup.sh browser   the system's Chromium, what drives it, and axe-core, for the browser tests
#   setup.sh site      what makes the website
#   setup.sh lab_settings PREFIX   what JupyterLab there starts with (helpers/lab_settings.json)
#   setup.sh lock      requirements.txt and those of browser and site from pyproject.toml   (UPGRADE=1, OLDEST=1: see compile)
set -eu
cd "$(dirname "$0")/.."
stamp=.venv/installed  # a copy of the requirements.txt that .venv was made from
for_browser=helpers/tests/requirements.txt
for_site=helpers/site/requirements.txt
axe=4.14.1  # of axe-core
# mariadb-install-db is in the one, my_print_defaults, which it calls, in the other
server_packages="mariadb-server-core mariadb-client-core"

say() { echo "$*" >&2; }
die() { say "$@"; exit 1; }

# the words to put before a command that needs root: none, sudo, or fail
root() {
  if [ "$(id -u)" = 0 ]; then echo env
  elif sudo -n true 2>/dev/null; then echo "sudo -n"
  else return 1
  fi
}

# apt_install WHY PACKAGE…: on Debian and Ubuntu, as root or with a sudo that asks nothing
apt_install() {
  why=$1; shift
  command -v apt-get >/dev/null && as_root=$(root) || return 1
  say "Installing $* ($why) ..."
  log=$(mktemp)
  if $as_root apt-get update >"$log" 2>&1 &&
     $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@" >>"$log" 2>&1
  then rm -f "$log"
  else tail -n 5 "$log" >&2; rm -f "$log"; return 1
  fi
}

find_python() {
  for python in ${PYTHON:-python3 python3.14 python3.13 python3.12 python3.11}; do
    if "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      command -v "$python"; return
    fi
  done
  return 1
}

# say what to expect of a Python that the course was not tested with
warn_if_newer() {
  "$1" -c 'import sys; sys.exit(sys.version_info >= (3, 15))' 2>/dev/null ||
    say "$("$1" -V) is newer than the course was tested with (3.11 to 3.14). Packages may have to be compiled, and" \
        "the database driver may be slow. If this fails: make clean lab PYTHON=python3.14"
}

# with PYTHON=… another version than that of .venv may be asked for
same_python() { [ -z "${PYTHON:-}" ] || [ "$("$PYTHON" -V)" = "$(.venv/bin/python -V)" ]; }

venv() {
  if [ -f $stamp ] && .venv/bin/python -c "" 2>/dev/null && same_python; then
    cmp -s requirements.txt $stamp && return
  else
    python=$(find_python) ||
      die "No Python 3.11 or newer found (looked for ${PYTHON:-python3, python3.14, python3.13, python3.12, python3.11})." \
          "Install one, or name it: make lab PYTHON=/path/to/python3"
    "$python" -c 'import ensurepip, venv' 2>/dev/null ||
      apt_install "Debian and Ubuntu keep it apart from Python" \
        "$("$python" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')" ||
      die "$python cannot make a virtual environment. On Debian or Ubuntu: sudo apt-get install python3-venv"
    warn_if_newer "$python"
    rm -rf .venv
    "$python" -m venv .venv
  fi
  say "Installing the packages of requirements.txt into .venv (a few minutes, once) ..."
  install requirements.txt
  lab_settings .venv
  cp requirements.txt $stamp
}

install() { .venv/bin/python -m pip install --quiet --disable-pip-version-check -r "$1"; }

# lab_settings PREFIX: no news pop-up in the JupyterLab that is installed there
lab_settings() {
  mkdir -p "$1/share/jupyter/lab/settings/overrides.d"
  cp helpers/lab_settings.json "$1/share/jupyter/lab/settings/overrides.d/generators-course.json"
}

server() { get_server || find_server; }  # where none is found it says what to type

# warn where there is none, and go on: lesson 00 needs none
lab_server() {
  get_server && return
  say "No MySQL or MariaDB server program was found. Lesson 00 runs without one; the other lessons need it."
  if [ -n "${COURSE_MYSQLD:-}" ]; then say "$(find_server 2>&1)"
  elif command -v apt-get >/dev/null; then say "To install one: sudo apt-get install --no-install-recommends $server_packages"
  elif [ "$(uname -s)" = Darwin ]; then say "To install one: brew install mariadb"
  else say "To install one: conda install -c conda-forge mysql-server"
  fi
}

get_server() {
  [ -n "${MYSQL_HOST:-}${MYSQL_UNIX_SOCKET:-}" ] && return  # one's own server
  find_server 2>/dev/null && return
  # shellcheck disable=SC2086 # two words
  apt_install "a MySQL server program; no service is started" $server_packages && find_server 2>/dev/null
}

find_server() { .venv/bin/python -m helpers.server find >/dev/null; }

has_chromium() {
  for program in chromium chromium-browser google-chrome; do
    command -v $program >/dev/null && return
  done
  return 1
}

browser() {
  has_chromium || apt_install "for the browser tests" chromium ||
    die "The browser tests need Chromium. On Debian: sudo apt-get install chromium"
  cmp -s $for_browser .venv/browser || { install $for_browser && cp $for_browser .venv/browser; }
  [ -f ".venv/axe-core-$axe" ] && return
  command -v npm >/dev/null || apt_install "it installs axe-core, which looks for what a screen reader cannot use" npm ||
    die "The browser tests need axe-core, which npm installs. On Debian: sudo apt-get install npm"
  npm install --prefix .venv --no-save --no-package-lock --no-audit --no-fund --loglevel=error "axe-core@$axe" >/dev/null
  : >".venv/axe-core-$axe"
}

site() { cmp -s $for_site .venv/site_packages || { install $for_site && cp $for_site .venv/site_packages; }; }

# compile FILE OPTION…: pin in FILE what pyproject.toml asks for; pins that stand there stay unless they must move.
# UPGRADE takes the newest; OLDEST the oldest of what pyproject.toml allows, for it and not for what those pull in.
compile() {
  file=$1; shift
  uv pip compile --quiet --universal --fork-strategy fewest --python-version 3.11 ${UPGRADE:+--upgrade} \
    ${OLDEST:+--upgrade --resolution lowest-direct} \
    --no-header --no-emit-index-url --no-emit-find-links --annotation-style=line "$@" pyproject.toml -o "$file" >/dev/null
}

made="Made by \`make lock\` from pyproject.toml, for Python 3.11 to 3.14: do not edit by hand."

# lock_beside NEW FILE EXTRA: pin in FILE what an extra of pyproject.toml asks for beside what stands in NEW
lock_beside() {
  more=$(mktemp)
  cp "$1" "$more"
  if [ -e "$2" ]; then cat "$2" >>"$more"; fi  # the first lock of an extra has nothing to keep
  compile "$more" --extra "$3" --constraints "$1"
  {
    echo "# $made"
    echo "# What \`make $3\` installs beside requirements.txt:"
    grep -v -E "^($(sed 's/==.*//' "$1" | paste -s -d '|' -))==" "$more"
  } >"$2"
  rm -f "$more"
}

lock() {
  command -v uv >/dev/null || .venv/bin/python -m pip install --quiet uv
  PATH="$PATH:$PWD/.venv/bin"
  new=$(mktemp)
  if [ -e requirements.txt ]; then cp requirements.txt "$new"; fi
  compile "$new"
  {
    echo "# $made"
    echo "# What the course uses itself (pyproject.toml says what for):"
    sed -n 's/ *#.*(pyproject.toml).*//p' "$new"
    echo
    echo "# What those pull in:"
    grep -v '(pyproject.toml)' "$new"
  } >requirements.txt
  if [ -n "${OLDEST:-}" ]; then rm -f "$new"; return; fi  # to try the course with; those of browser and site stay
  lock_beside "$new" $for_browser browser
  lock_beside "$new" $for_site site
  rm -f "$new"
}

case "${1:-}" in
  venv|server|lab_server|browser|site|lock|lab_settings) "$@" ;;
  *) sed -n '2,10p' "$0"; exit 2 ;;
esac
