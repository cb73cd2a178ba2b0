"""Where the private server keeps its files, and which server program it starts."""

import os
import re
import stat

import pytest
from places import FAILS, PEOPLE, wait_until

from helpers import server

CONNECTED = "from helpers import seed; print(seed.connect_db().is_connected(), flush=True)"


def script(path, text):
    """Write a program, for a server that is not what it should be."""
    path.write_text("#!/bin/sh\n" + text)
    path.chmod(0o755)
    return str(path)


# Where things stand ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("length", [1, 200])
def test_the_socket_has_a_short_name_however_long_the_temporary_folders_name_is(warm, tmp_path, length):
    temporary = tmp_path / ("x" * length)
    temporary.mkdir()
    warm.use(TMPDIR=str(temporary))
    assert len((warm.folder / "socket").read_text()) <= server.SOCKET_BYTES
    with warm.connect() as connection:
        assert connection.is_connected()


def test_the_folder_stands_in_the_cache_or_in_the_temporary_folder_where_there_is_no_home(tmp_path, monkeypatch):
    monkeypatch.delenv("COURSE_SERVER_DIR", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert server.home() == tmp_path / "cache/generators-course"
    monkeypatch.setattr(server.tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", "/dev/null/cache")
    assert server.home() == tmp_path / f"generators-course-{os.getuid()}"


def test_a_folder_that_holds_other_files_stays_open_to_others(tmp_path, monkeypatch):
    folder = tmp_path / "shared"
    folder.mkdir()
    folder.chmod(0o755)
    monkeypatch.setenv("COURSE_SERVER_DIR", str(folder))
    (folder / "mine.txt").touch()
    with pytest.raises(server.ServerError, match="holds other files"):
        server.home()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o755
    (folder / "mine.txt").unlink()
    assert server.home() == folder and stat.S_IMODE(folder.stat().st_mode) == 0o700


PROFILE = "#include <tunables/global>\n{program} {{\n  #include <abstractions/user-tmp>\n}}\n"


@pytest.mark.parametrize(
    ("enabled", "profile", "disabled", "confined"),
    [
        ("Y\n", PROFILE, False, True),
        ("N\n", PROFILE, False, False),
        ("Y\n", PROFILE, True, False),
        ("Y\n", PROFILE.replace(" {{", " flags=(complain) {{"), False, False),
        ("Y\n", "# This file is empty on purpose: {{}}\n", False, False),
        ("Y\n", None, False, False),
    ],
    ids=["confined", "apparmor-off", "disabled", "complains", "empty", "no-profile"],
)
def test_a_program_that_apparmor_keeps_out_of_homes_gets_the_temporary_folder(
    tmp_path, monkeypatch, enabled, profile, disabled, confined
):
    program = os.path.realpath(server.find_program())
    name = program.strip("/").replace("/", ".")
    (tmp_path / "disable").mkdir()
    (tmp_path / "enabled").write_text(enabled)
    if profile is not None:
        (tmp_path / name).write_text(profile.format(program=program))
    if disabled:
        (tmp_path / "disable" / name).symlink_to(tmp_path / name)
    monkeypatch.delenv("COURSE_SERVER_DIR", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(server.tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(server, "APPARMOR", (tmp_path / "enabled", tmp_path))
    place = f"generators-course-{os.getuid()}" if confined else "cache/generators-course"
    assert server.home() == tmp_path / place


def test_a_user_without_a_home_gets_the_temporary_folder(tmp_path, monkeypatch):
    for name in ("COURSE_SERVER_DIR", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(server.os.path, "expanduser", str)
    monkeypatch.setattr(server.tempfile, "tempdir", str(tmp_path))
    assert server.home() == tmp_path / f"generators-course-{os.getuid()}"


@pytest.mark.parametrize("folder", ["/dev/null/server", "/proc/server"])
def test_a_folder_that_cannot_be_made_is_a_server_error(folder, monkeypatch):
    monkeypatch.setenv("COURSE_SERVER_DIR", folder)
    with pytest.raises(server.ServerError, match=f"{folder}.*COURSE_SERVER_DIR"):
        server.ensure()


# The server program ---------------------------------------------------------------------------------------------------


def test_the_program_is_the_one_that_course_mysqld_names(tmp_path, monkeypatch):
    program = script(tmp_path / "server", "exit 0")
    monkeypatch.setenv("COURSE_MYSQLD", program)
    assert server.find_program() == program
    monkeypatch.setenv("COURSE_MYSQLD", str(tmp_path / "missing"))
    with pytest.raises(server.ServerError, match=re.escape(f"COURSE_MYSQLD='{tmp_path}/missing' is not a program")):
        server.find_program()


def test_the_program_is_looked_for_on_path_then_in_conda_then_elsewhere(tmp_path, monkeypatch):
    monkeypatch.delenv("COURSE_MYSQLD", raising=False)
    for name in ("path", "conda/bin"):
        (tmp_path / name).mkdir(parents=True)
    monkeypatch.setenv("PATH", str(tmp_path / "path"))
    monkeypatch.setenv("CONDA_PREFIX", str(tmp_path / "conda"))
    conda = script(tmp_path / "conda/bin/mysqld", "exit 0")
    assert server.find_program() == conda
    on_path = script(tmp_path / "path/mysqld", "exit 0")
    assert server.find_program() == on_path


def test_without_a_program_the_error_has_the_line_that_installs_one(monkeypatch, capsys):
    monkeypatch.delenv("COURSE_MYSQLD", raising=False)
    monkeypatch.setattr(server.shutil, "which", lambda *_, **__: None)
    with pytest.raises(server.ServerError) as caught:
        server.find_program()
    for line in ("conda install -c conda-forge mysql-server", "apt-get install", "brew install mariadb"):
        assert line in str(caught.value)
    assert server.main(["find"]) == 1
    assert capsys.readouterr().err == f"{server.INSTALL}\n"


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("echo hello", "says nothing that a MySQL or MariaDB server would say: 'hello'"),
        ("exit 1", "says nothing that a MySQL or MariaDB server would say: ''"),
        (
            'case "$*" in *--version) echo "mysqld Ver 99.7.0";; *--init*) echo "No space"; exit 4;; esac',
            "could not make the data folder (exit status 4). Its log, {folder}/error.log, says: |   No space",
        ),
        (
            'case "$*" in *--version) echo "mysqld Ver 99.7.0";; *--init*) ;; *) echo "[ERROR] no luck"; exit 1;; esac',
            "ended while it started. Its log, {folder}/error.log, says: |   [ERROR] no luck",
        ),
    ],
    ids=["another-program", "says-nothing", "no-room", "dies-at-the-start"],
)
def test_a_program_that_is_no_server_or_dies_is_one_error_and_the_next_start_works(warm, tmp_path, body, says):
    broken = script(tmp_path / "mysqld", body)
    assert says.format(folder=warm.folder) in warm.run(FAILS, COURSE_MYSQLD=broken)
    wait_until(warm.gone, "a server or its supervisor is left")
    assert warm.run(PEOPLE) == "1000"


def test_a_disk_without_room_is_said_before_anything_is_made(tmp_path, monkeypatch):
    monkeypatch.setattr(server, "DISK_MIB", 10**9)
    with pytest.raises(server.ServerError, match=rf"needs {10**9} MiB of disk .* {tmp_path} has \d+ MiB left"):
        server._make_data_folder("mysqld", False, tmp_path, tmp_path / "mysql-9.7", tmp_path / "error.log")
    assert list(tmp_path.iterdir()) == []


def test_the_server_is_small(shared):
    with shared.connect() as connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT @@innodb_buffer_pool_size, @@performance_schema, @@log_bin, @@datadir, @@character_set_server"
        )
        assert cursor.fetchone()[:3] == (128 * 2**20, 0, 0)


def test_course_buffer_pool_sets_the_buffer_pool(warm):
    warm.use(COURSE_BUFFER_POOL="64M")
    with warm.connect() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT @@innodb_buffer_pool_size")
        assert cursor.fetchone() == (64 * 2**20,)
