"""Reach the course's server through other drivers, with the arguments that each of them wants."""

import contextlib
import importlib.util
import os
import shutil

from helpers import seed
from helpers.connection import database_name

NOT_INSTALLED = "it is not installed; make bench installs it"


def installed(module):
    """Tell whether a Python module can be imported."""
    return importlib.util.find_spec(module) is not None


def where():
    """Return the arguments for the server that seed.connect_to_prodev() reaches, under the names of the DB-API."""
    with contextlib.closing(seed.connect_to_prodev()) as connection:
        arguments = {"user": connection.user, "password": os.environ.get("MYSQL_PASSWORD", "")}
        arguments["database"] = database_name()
        if connection.unix_socket:
            return arguments | {"unix_socket": connection.unix_socket}
        return arguments | {"host": connection.server_host, "port": connection.server_port}


def mysqlclient(**options):
    """Connect with mysqlclient, whose module is MySQLdb."""
    import MySQLdb

    return MySQLdb.connect(**where(), charset="utf8mb4", **options)


def pymysql(**options):
    """Connect with PyMySQL."""
    import pymysql

    return pymysql.connect(**where(), charset="utf8mb4", **options)


def with_local_infile():
    """Connect with mysql-connector, ready for LOAD DATA LOCAL."""
    import mysql.connector

    return mysql.connector.connect(
        **where(), charset="utf8mb4", collation="utf8mb4_general_ci", allow_local_infile=True
    )


def url(dialect, arguments, driver_takes_socket=False):
    """Return a database URL (str) for `arguments` as where() gives them; ValueError for a socket it cannot name."""
    import sqlalchemy

    if "unix_socket" in arguments and not driver_takes_socket:
        raise ValueError("a URL of this kind cannot name a socket")
    address = {name: arguments[name] for name in ("host", "port") if name in arguments}
    made = sqlalchemy.URL.create(
        dialect, arguments["user"], arguments["password"] or None, database=arguments["database"], **address
    )
    return made.render_as_string(hide_password=False)


def engine(driver, arguments=None):
    """Make a SQLAlchemy engine: driver is "mysqlconnector", "pymysql" or "mysqldb"; `arguments` as where() gives."""
    import sqlalchemy

    arguments = arguments or where()
    collation = {"collation": "utf8mb4_general_ci"} if driver == "mysqlconnector" else {}
    socket = {"unix_socket": arguments["unix_socket"]} if "unix_socket" in arguments else {}
    return sqlalchemy.create_engine(
        url(f"mysql+{driver}", arguments, driver_takes_socket=True),
        connect_args={"charset": "utf8mb4", **collation, **socket},
        poolclass=sqlalchemy.NullPool,
    )


def client_program():
    """Return the path (str) of the server's own client, None where it is not installed."""
    return shutil.which("mariadb") or shutil.which("mysql")


def command_line():
    """Return the command of that client as a list of str, and its environment."""
    arguments = where()
    at = (
        [f"--socket={arguments['unix_socket']}"]
        if "unix_socket" in arguments
        else [f"--host={arguments['host']}", f"--port={arguments['port']}", "--protocol=tcp"]
    )
    command = [client_program(), "--no-defaults", *at, f"--user={arguments['user']}", arguments["database"]]
    return command, os.environ | {"MYSQL_PWD": arguments["password"]}
