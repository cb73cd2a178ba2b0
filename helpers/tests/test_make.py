"""What make does: its targets, the tests that it selects, and the set-up of a machine (helpers/setup.sh)."""

import importlib.metadata
import importlib.util
import os
import re
import shutil
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from places import ROOT, run

from helpers import notebooks, server

# make and helpers/setup.sh --------------------------------------------------------------------------------------------


def test_make_alone_lists_every_target_that_people_use():
    listed = run("make", env={**os.environ, "MAKEFLAGS": ""})
    assert listed.returncode == 0
    phony = re.search(r"^\.PHONY: (.*)", (ROOT / "Makefile").read_text(), re.M)[1].split()
    internal = {"venv", "ready"}
    assert re.findall(r"^  make (\w+) +\S", listed.stdout, re.M) == [t for t in phony if t not in internal]


def test_make_lab_opens_the_first_lesson_and_rows_makes_it_big():
    said = run("make", "-n", "lab", "ROWS=7", env={**os.environ, "MAKEFLAGS": ""}).stdout
    lesson = re.search(r"default_url=/lab/tree/(\S+)", said)[1]
    assert lesson == min(f"my_lessons/{path.name}" for path in (ROOT / "notebooks").glob("*.ipynb"))
    said = run("make", "-n", "lab", "LESSON=02", env={**os.environ, "MAKEFLAGS": ""}).stdout
    assert "default_url=/lab/tree/my_lessons/02_stream_users.ipynb" in said
    shown = run("make", "-s", "-f", "Makefile", "-f", "-", "rows", "ROWS=7", input="rows: ; @echo $$COURSE_ROWS")
    assert shown.stdout == "7\n"


@pytest.fixture(scope="module")
def selection():
    """The root's conftest.py, which selects tests for `make quick` and `make test LESSON=02`."""
    spec = importlib.util.spec_from_file_location("selection", ROOT / "conftest.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_files_that_make_quick_and_lesson_name_are_there(selection):
    files = {path.stem for path in (ROOT / "helpers/tests").glob("test_*.py")}
    assert files >= selection.QUICK
    for starts in selection.BELONGING.values():
        assert all(any(name.startswith(start) for name in files) for start in starts)


@pytest.mark.parametrize(
    ("test", "lesson"),
    [
        ("notebooks/02_stream_users.ipynb::Cell 3", "02"),
        ("helpers/tests/test_lessons.py::test_the_parts_stand_in_order[02_stream_users]", "02"),
        ("helpers/tests/test_answers.py::test_an_answer[02-1-stream_users-1-right0]", "02"),
        ("helpers/tests/test_check_wrong.py::test_it[stream_users-fetchall]", "02"),
        ("helpers/tests/test_check_wrong.py::test_it[stream_users_in_batches-list]", "03"),
        ("helpers/tests/test_dask.py::test_it", "07"),
        ("helpers/tests/test_server.py::test_it", None),
    ],
)
def test_a_lesson_is_tested_with_what_belongs_to_it(selection, test, lesson):
    item = SimpleNamespace(nodeid=test, path=Path(test.partition("::")[0]))
    numbers = [path.stem[:2] for path in sorted(notebooks.LESSONS.glob("*.ipynb"))]
    assert [number for number in numbers if selection._belongs(item, number)] == ([lesson] if lesson else [])


WORKFLOWS = (".github/workflows/test.yml", ".github/workflows/weekly.yml")
LOCKS = ("requirements.txt", "helpers/tests/requirements.txt")

# What stands for Python on the machine below. It has no ensurepip until the file `apt` is there, and no server program
# until then either; the environment that it makes holds a copy of itself.
PYTHON = """
case "$*" in
  *ensurepip*|*helpers.server*) [ -e "$APT" ] ;;
  *python%d*) echo python3.11-venv ;;
  "-m venv .venv") mkdir -p .venv/bin && cp "$0" .venv/bin/python ;;
esac
"""


class Machine:
    """A machine of fakes: a copy of the set-up in a project's folder, and a PATH that holds little else."""

    def __init__(self, folder):
        self.folder, self.project, self.programs = folder, folder / "project", folder / "bin"
        (self.project / "helpers").mkdir(parents=True)
        self.programs.mkdir()
        for tool in ["sh", "env", "dirname", "cmp", "mktemp", "tail", "rm", "cp", "mkdir"]:
            (self.programs / tool).symlink_to(shutil.which(tool))
        (self.project / "helpers/tests").mkdir()
        for name in (
            "helpers/setup.sh",
            "helpers/lab_settings.json",
            "requirements.txt",
            "helpers/tests/requirements.txt",
        ):
            shutil.copy(ROOT / name, self.project / name)
        self.environment = {"PATH": str(self.programs), "LOG": str(folder / "log"), "APT": str(folder / "apt")}
        self.add("python3", PYTHON)

    def add(self, name, script):
        """Add a program that logs its arguments, then does as `script` says."""
        program = self.programs / name
        program.write_text(f'#!/bin/sh\necho "{name} $*" >>"$LOG"\n{script}\n')
        program.chmod(0o755)

    def debian(self, root):
        """Make it a Debian, where apt-get can be used by root or by nobody."""
        self.add("apt-get", 'case "$*" in install*) : >"$APT" ;; esac')
        self.add("id", f"echo {0 if root else 1000}")
        self.add("sudo", "exit 1")

    def setup(self, *arguments, **environment):
        """Run setup.sh there."""
        return run(self.project / "helpers/setup.sh", *arguments, cwd=self.folder, env=environment | self.environment)

    def make(self, target):
        """Run make there."""
        return run(shutil.which("make"), "-s", target, cwd=self.project, env=self.environment)

    def calls(self, start):
        """Return the logged calls that start like `start`."""
        return [line for line in (self.folder / "log").read_text().splitlines() if line.startswith(start)]


@pytest.fixture
def machine(tmp_path):
    return Machine(tmp_path)


def test_setup_without_a_new_enough_python_says_which_were_tried(machine):
    machine.add("python3", "exit 1")
    done = machine.setup("venv")
    assert done.returncode == 1
    assert (
        "No Python 3.11 or newer found (looked for python3, python3.14, python3.13, python3.12, python3.11)"
        in done.stdout
    )
    assert "make lab PYTHON=" in done.stdout


def test_setup_says_what_to_expect_of_a_python_that_is_newer_than_those_tested(machine):
    (machine.folder / "apt").touch()
    assert "newer" not in machine.setup("venv").stdout
    machine.add(
        "python3.15", PYTHON.replace("*ensurepip*", "*'(3, 15)'*) exit 1 ;;\n  -V) echo 3.15 ;;\n  *ensurepip*")
    )
    done = machine.setup("venv", PYTHON="python3.15")
    assert done.returncode == 0
    assert "3.15 is newer than the course was tested with (3.11 to 3.14)" in done.stdout


def test_setup_installs_the_lock_once_and_again_when_it_changed(machine):
    (machine.folder / "apt").touch()
    for _ in range(2):
        assert machine.setup("venv").returncode == 0
    install = "python3 -m pip install --quiet --disable-pip-version-check -r requirements.txt"
    assert machine.calls("python3 -m") == ["python3 -m venv .venv", install]
    with open(machine.project / "requirements.txt", "a") as lock:
        lock.write("more==1\n")
    assert machine.setup("venv").returncode == 0
    assert machine.calls("python3 -m") == ["python3 -m venv .venv", install, install]


def test_setup_broken_off_in_the_middle_is_done_again(machine):
    (machine.folder / "apt").touch()
    machine.add("python3", PYTHON.replace("*ensurepip*", "*install*) exit 5 ;;\n  *ensurepip*"))
    assert machine.setup("venv").returncode == 5
    machine.add("python3", PYTHON)
    assert machine.setup("venv").returncode == 0
    assert len(machine.calls("python3 -m pip install")) == 2
    assert (machine.project / ".venv/installed").exists()


def test_setup_takes_the_python_that_is_asked_for(machine):
    (machine.folder / "apt").touch()
    machine.add("python3", PYTHON.replace("*ensurepip*", "-V) echo 3.11 ;;\n  *ensurepip*"))
    machine.add("python3.13", PYTHON.replace("*ensurepip*", "-V) echo 3.13 ;;\n  *ensurepip*"))
    assert machine.setup("venv").returncode == 0
    for _ in range(2):
        assert machine.setup("venv", PYTHON="python3.13").returncode == 0
    assert len(machine.calls("python3.13 -m venv")) == 1
    assert machine.calls("python3 -m venv") == ["python3 -m venv .venv"]


@pytest.mark.parametrize(
    ("part", "package"),
    [("venv", "python3.11-venv"), ("server", "mariadb-server-core mariadb-client-core"), ("browser", "chromium")],
)
def test_setup_installs_what_debian_leaves_out_as_root_and_only_once(machine, part, package):
    machine.debian(root=True)
    if part != "venv":
        (machine.project / ".venv/bin").mkdir(parents=True)
        shutil.copy(machine.programs / "python3", machine.project / ".venv/bin/python")
    if part == "browser":
        machine.add("apt-get", 'case "$*" in install*) : >"$APT"; cp "$0" "${0%/*}/chromium" ;; esac')
        machine.add("npm", "")
    for _ in range(2):
        done = machine.setup(part)
        assert done.returncode == 0, done.stdout
    assert machine.calls("apt-get") == ["apt-get update", f"apt-get install -y --no-install-recommends {package}"]
    assert len(machine.calls("npm install")) == (part == "browser")


@pytest.mark.parametrize("debian", [True, False])
def test_setup_without_root_stops_with_the_line_to_type(machine, debian):
    if debian:
        machine.debian(root=False)
    done = machine.setup("venv")
    assert done.returncode == 1
    assert "sudo apt-get install python3-venv" in done.stdout
    done = machine.setup("browser")
    assert done.returncode == 1
    assert "sudo apt-get install chromium" in done.stdout
    if debian:
        assert machine.calls("apt-get") == []


def test_every_place_installs_the_same_packages_on_debian():
    texts = [(ROOT / name).read_text() for name in ("helpers/setup.sh", *WORKFLOWS)]
    lines = [re.search(r"(mariadb-server-core[a-z -]*)", text)[1].strip() for text in [*texts, server.INSTALL]]
    assert lines == ["mariadb-server-core mariadb-client-core"] * 4, "the first calls a program of the second"


@pytest.mark.parametrize("debian", [True, False])
def test_setup_without_a_server_and_without_root_says_what_to_install(machine, debian):
    if debian:
        machine.debian(root=False)
    (machine.project / ".venv/bin").mkdir(parents=True)
    python = machine.project / ".venv/bin/python"
    python.write_text(f'#!/bin/sh\ncd "{ROOT}" && COURSE_MYSQLD=/no/such/server exec "{sys.executable}" "$@"\n')
    python.chmod(0o755)
    done = machine.setup("server")
    assert done.returncode == 1
    assert "/no/such/server" in done.stdout.splitlines()[-1], "the last word is that of helpers.server"


@pytest.mark.parametrize(
    ("system", "install"),
    [
        ("Debian", "sudo apt-get install --no-install-recommends mariadb-server-core mariadb-client-core"),
        ("Darwin", "brew install mariadb"),
        ("Linux", "conda install -c conda-forge mysql-server"),
    ],
)
def test_make_lab_opens_without_a_server_program_and_make_test_stops(machine, system, install):
    if system == "Debian":
        machine.debian(root=False)
    else:
        machine.add("id", "echo 1000")
    machine.add("uname", f"echo {system}")
    shutil.copy(ROOT / "Makefile", machine.project)
    shutil.copy(ROOT / "helpers/lab_workspace.json", machine.project / "helpers")
    (machine.project / ".venv/bin").mkdir(parents=True)
    shutil.copy(machine.programs / "python3", machine.project / ".venv/bin/python")
    shutil.copy(machine.project / "requirements.txt", machine.project / ".venv/installed")
    done = machine.make("lab")
    assert done.returncode == 0, done.stdout
    assert [call.split()[2] for call in machine.calls("python3 -m")][-2:] == ["helpers.notebooks", "jupyterlab"]
    first, second = done.stdout.splitlines()
    assert first.startswith("No MySQL or MariaDB server program was found. Lesson 00 runs without one")
    assert second == f"To install one: {install}"
    done = machine.make("test")
    assert done.returncode != 0
    assert not any("pytest" in call for call in machine.calls("python3 -m"))


def test_setup_names_a_server_program_that_cannot_be_run_before_it_goes_on_without(machine):
    (machine.project / ".venv/bin").mkdir(parents=True)
    python = machine.project / ".venv/bin/python"
    python.write_text(f'#!/bin/sh\ncd "{ROOT}" && exec "{sys.executable}" "$@"\n')
    python.chmod(0o755)
    done = machine.setup("lab_server", COURSE_MYSQLD="/no/such/server")
    assert done.returncode == 0
    assert "COURSE_MYSQLD='/no/such/server' is not a program" in done.stdout.splitlines()[-1]


def test_setup_with_a_server_of_ones_own_looks_for_none(machine):
    machine.debian(root=True)
    assert machine.setup("server", MYSQL_HOST="db.example.com").returncode == 0
    assert not (machine.folder / "log").exists()


# git ------------------------------------------------------------------------------------------------------------------


def test_git_compares_and_merges_notebooks_where_nbdime_is_not_set_up(tmp_path):
    shutil.copy(ROOT / ".gitattributes", tmp_path)
    lesson = tmp_path / "a.ipynb"
    lines = [f"line {number}\n" for number in range(20)]

    def git(*words):
        done = run("git", "-c", "user.name=A", "-c", "user.email=a@example.org", *words, cwd=tmp_path)
        assert done.returncode == 0, done.stdout
        return done.stdout

    def commit(number, text):
        lesson.write_text("".join([*lines[:number], text, *lines[number + 1 :]]))
        changed = git("diff")
        git("add", ".")
        git("commit", "-qm", text.strip())
        return changed

    git("init", "-q", "-b", "main")
    commit(0, lines[0])
    git("branch", "other")
    assert "+first\n" in commit(0, "first\n")
    git("checkout", "-q", "other")
    commit(19, "last\n")
    git("merge", "-q", "main")
    assert lesson.read_text() == "".join(["first\n", *lines[1:19], "last\n"])
