"""The bundle for rooms without internet: what `make bundle` packs, and how install.sh installs it (helpers/bundle)."""

import os
import shutil
import subprocess
import tarfile

import pytest
from places import ROOT, run
from test_make import Machine

APT = """
case "$*" in
  *--download-only*)
    for word in "$@"; do case "$word" in Dir::Cache::archives=*) echo >"${word#*=}/make_1_all.deb" ;; esac; done ;;
  *install*) : >"$APT" ;;
esac
"""
PIP = """
case "$*" in
  *version_info*) echo ${VERSION:-3.11} ;;
  *"pip wheel"*) for word in "$@"; do folder=$word; done; echo >"$folder/a-1-py3-none-any.whl" ;;
esac
"""
DEBIAN = "ID=debian\nVERSION_ID=12\n"
TOOLS = ["cat", "uname", "tar", "wc", "git", "head", "grep"]


class Room(Machine):
    """A Debian of fakes that packs the bundle, or meets it."""

    def __init__(self, folder):
        super().__init__(folder)
        for tool in TOOLS:
            (self.programs / tool).symlink_to(shutil.which(tool))
        self.debian(root=True)
        self.add("apt-get", APT)
        self.add("dpkg", 'case "$2" in old) ;; *) exit 1 ;; esac')
        self.add("make", 'echo "$PIP_NO_INDEX $PIP_CONFIG_FILE $PIP_FIND_LINKS" >>"$LOG"')
        (folder / "os-release").write_text(DEBIAN)
        (folder / "log").touch()

    def sh(self, script, *arguments, **environment):
        environment = {
            "PATH": str(self.programs),
            "LOG": str(self.folder / "log"),
            "APT": str(self.folder / "apt"),
            "OS_RELEASE": str(self.folder / "os-release"),
            "HOME": str(self.folder),
        } | environment
        return run("/bin/sh", script, *arguments, cwd=self.folder, env=environment)


@pytest.fixture
def room(tmp_path):
    return Room(tmp_path)


@pytest.fixture
def bundle(room):
    """A bundle, unpacked, as it lies on a machine."""
    folder = room.folder / "bundle"
    (folder / "course/helpers").mkdir(parents=True)
    (folder / "debs").mkdir()
    for name in ("old_1_all.deb", "make_1_all.deb"):
        (folder / "debs" / name).touch()
    shutil.copy(ROOT / "helpers/bundle/install.sh", folder)
    (folder / "made_for").write_text(f"debian 12 {os.uname().machine}\n")
    return folder


def test_the_bundle_holds_wheels_packages_the_course_and_its_installer(room):
    project = room.project
    shutil.copytree(ROOT / "helpers/bundle", project / "helpers/bundle")
    git = ["git", "-c", "user.name=A", "-c", "user.email=a@example.org"]
    for command in ([*git, "init", "-q"], [*git, "add", "requirements.txt"], [*git, "commit", "-qm", "One"]):
        subprocess.run(command, cwd=project, check=True)
    (project / ".venv/bin").mkdir(parents=True)
    room.add("python", PIP)
    shutil.move(room.programs / "python", project / ".venv/bin/python")
    done = room.sh(project / "helpers/bundle/make.sh", VERSION=_system())
    assert done.returncode == 0, done.stdout
    name = f"generators-course-debian-12-{os.uname().machine}"
    with tarfile.open(project / f".venv/bundle/{name}.tar") as archive:
        names = {member.name.removeprefix(f"{name}/") for member in archive if member.isfile()}
    wanted = {"wheels/a-1-py3-none-any.whl", "debs/make_1_all.deb", "course/requirements.txt", "install.sh", "made_for"}
    assert names == wanted
    assert not any("update" in call for call in room.calls("apt-get"))
    assert [path.name for path in (project / ".venv/bundle").iterdir()] == [f"{name}.tar"]


def _system():
    """Return the version of the system's own Python, which the bundle must fit."""
    said = run("sh", "-c", 'PATH=/usr/bin:/bin python3 -c "import sys; print(*sys.version_info[:2], sep=chr(46))"')
    return said.stdout.strip() if said.returncode == 0 else "none"


def test_no_bundle_is_made_for_a_python_that_the_packages_do_not_bring(room):
    shutil.copytree(ROOT / "helpers/bundle", room.project / "helpers/bundle")
    (room.project / ".venv/bin").mkdir(parents=True)
    room.add("python", PIP)
    shutil.move(room.programs / "python", room.project / ".venv/bin/python")
    done = room.sh(room.project / "helpers/bundle/make.sh", VERSION="3.99")
    assert done.returncode == 1
    assert "The wheels would be for Python 3.99" in done.stdout and "PYTHON=/usr/bin/python3" in done.stdout
    assert room.calls("apt-get") == []


def test_it_installs_what_is_missing_and_asks_no_network(room, bundle):
    done = room.sh(bundle / "install.sh")
    assert done.returncode == 0, done.stdout
    (apt,) = room.calls("apt-get")
    assert apt.startswith("apt-get install") and apt.endswith(f"{bundle}/debs/make_1_all.deb") and "old_1" not in apt
    assert room.calls("make") == [f"make -s -C {room.folder}/generators-course copies"]
    assert room.calls("1 /dev/null") == [f"1 /dev/null {bundle}/wheels"], "pip looks nowhere else"
    assert (room.folder / "generators-course/helpers").is_dir()


def test_packages_that_need_newer_ones_than_are_here_bring_them(room, bundle):
    room.add("apt-get", 'case "$*" in *old_1*) ;; *) exit 100 ;; esac')
    assert room.sh(bundle / "install.sh").returncode == 0
    assert len(room.calls("apt-get")) == 2 and "old_1_all.deb" in room.calls("apt-get")[1]


def test_where_nothing_is_missing_no_package_is_installed(room, bundle):
    (room.folder / "apt").touch()
    assert room.sh(bundle / "install.sh", room.folder / "here").returncode == 0
    assert room.calls("apt-get") == []
    assert (room.folder / "here").is_dir()


def test_without_root_it_says_what_to_type(room, bundle):
    room.debian(root=False)
    done = room.sh(bundle / "install.sh")
    assert done.returncode == 1
    assert f"sudo sh {bundle}/install.sh packages" in done.stdout
    assert not (room.folder / "generators-course").exists()


def test_it_refuses_another_release_and_a_folder_that_is_there(room, bundle):
    done = room.sh(bundle / "install.sh", bundle)
    assert done.returncode == 1 and f"{bundle} is there already" in done.stdout
    (room.folder / "os-release").write_text(DEBIAN.replace("12", "13"))
    done = room.sh(bundle / "install.sh")
    assert done.returncode == 1
    assert f"made for debian 12 {os.uname().machine}; this machine is debian 13" in done.stdout
    assert room.calls("make") == []
