"""What the code of each way to read MySQL starts from (helpers/bench/ways.py): a connection, an engine, a model.

Each function takes how the server is reached, as peers.where() gives it, and returns the names that the code uses.
"""

import functools
import importlib
import os

from helpers.bench import peers


def connector(where, **options):
    import mysql.connector

    arguments = {"charset": "utf8mb4", "collation": "utf8mb4_general_ci", **where, **options}
    return {"connection": mysql.connector.connect(**arguments)}


def pure(where):
    return connector(where, use_pure=True)


def aio(where):
    import mysql.connector.aio

    arguments = {"charset": "utf8mb4", "collation": "utf8mb4_general_ci", **where}
    return {"aio": mysql.connector.aio, "where": arguments}


def mysqlclient(where):
    import MySQLdb
    import MySQLdb.cursors as cursors

    return {"connection": MySQLdb.connect(charset="utf8mb4", **where), **vars(cursors)}


def pymysql(where):
    import pymysql
    import pymysql.cursors as cursors

    return {"connection": pymysql.connect(charset="utf8mb4", **where), **vars(cursors)}


def mariadb(where):
    import mariadb

    return {"connection": mariadb.connect(**where)}


def asynchronous(module):
    def connect(where):
        library = importlib.import_module(module)
        cursors = importlib.import_module(f"{module}.cursors")
        names = {n: getattr(cursors, n) for n in ("Cursor", "SSCursor")}
        where = dict(where)
        where["db"] = where.pop("database")
        return {"library": library, "where": {"charset": "utf8mb4", **where}, **names}

    return connect


def engine(driver):
    def connect(where):
        import sqlalchemy

        return {"engine": peers.engine(driver, where), "text": sqlalchemy.text}

    return connect


def orm(driver):
    def connect(where):
        from sqlalchemy import select
        from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

        class Base(DeclarativeBase):
            pass

        class User(Base):
            __tablename__ = "user_data"
            user_id: Mapped[str] = mapped_column(primary_key=True)
            name: Mapped[str]
            email: Mapped[str]
            age: Mapped[int]

        return {"session": Session(peers.engine(driver, where)), "select": select, "User": User}

    return connect


def pandas(driver):
    def connect(where):
        import pandas

        return {"pandas": pandas, **(connector(where) if driver is None else engine(driver)(where))}

    return connect


def polars(driver):
    def connect(where):
        import polars

        return {"polars": polars, **engine(driver)(where)}

    return connect


def django(engine):
    def connect(where):
        import django
        from django.conf import settings
        from django.db import connection

        options = {"charset": "utf8mb4"}
        if engine == "mysql.connector.django":
            options |= {"collation": "utf8mb4_general_ci"}
        if "unix_socket" in where:
            options["unix_socket"] = where["unix_socket"]
        database = {
            "ENGINE": engine, "NAME": where["database"], "USER": where["user"], "PASSWORD": where["password"],
            "HOST": where.get("host", ""), "PORT": where.get("port", ""), "OPTIONS": options,
        }  # fmt: skip
        if not settings.configured:
            settings.configure(DATABASES={"default": database}, DEFAULT_AUTO_FIELD="django.db.models.AutoField")
            django.setup()
        return {"User": django_user(), "connection": connection}

    return connect


@functools.cache  # Django knows a model once in a process
def django_user():
    from django.db import models

    meta = type("Meta", (), {"db_table": "user_data", "app_label": "course", "managed": False})
    fields = {name: models.CharField(max_length=255) for name in ("name", "email")}
    fields["user_id"] = models.CharField(max_length=36, primary_key=True)
    fields["age"] = models.DecimalField(max_digits=3, decimal_places=0)
    return type("User", (models.Model,), {"__module__": __name__, "Meta": meta, **fields})


def peewee(cursor=None):
    def connect(where):
        import peewee

        options = dict(where)
        name = options.pop("database")
        database = peewee.MySQLDatabase(
            name, charset="utf8mb4", **options, **({"cursorclass": cursor()} if cursor else {})
        )

        class User(peewee.Model):
            user_id, name, email = peewee.CharField(primary_key=True), peewee.CharField(), peewee.CharField()
            age = peewee.DecimalField()

            class Meta:
                table_name = "user_data"

        User._meta.database = database
        return {"User": User, "connection": database}

    return connect


def ss_cursor():
    import pymysql.cursors

    return pymysql.cursors.SSCursor


def connectorx(where):
    import connectorx

    # Otherwise it asks the server for its socket and goes there, past the forwarder
    return {"connectorx": connectorx, "url": peers.url("mysql", where) + "?prefer_socket=false"}


def dask(where):
    import dask.dataframe
    import sqlalchemy

    table = sqlalchemy.table("user_data", *map(sqlalchemy.column, ("user_id", "name", "email", "age")))
    url = peers.url("mysql+pymysql", where)
    return {"dask": dask, "query": sqlalchemy.select(table), "url": url}


def course(where):
    from helpers import notebooks

    # seed.connect_to_prodev() goes where the environment says: this process is fresh, and asks for nothing else
    names = {"unix_socket": "MYSQL_UNIX_SOCKET", "host": "MYSQL_HOST", "port": "MYSQL_PORT", "user": "MYSQL_USER",
             "password": "MYSQL_PASSWORD", "database": "MYSQL_DATABASE"}  # fmt: skip
    os.environ.update({names[name]: str(value) for name, value in where.items()})
    return {"stream_users": notebooks.exported("02").stream_users_fast}
