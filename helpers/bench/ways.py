"""The ways in which people read MySQL from Python, each as the few lines that its documents teach.

A way is code: `code` makes `rows`, which gives rows (or batches of them) one after the other; the page data/DRIVERS.md
shows those very lines. The drivers table (helpers/bench/drivers.py) runs them in fresh processes and watches.
"""

import ast
import asyncio
import importlib
import importlib.metadata
import inspect
from dataclasses import dataclass

from helpers.bench import peers, starts

QUERY = "SELECT user_id, name, email, age FROM user_data ORDER BY user_id"
AWAIT = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT

# What the documents say, in short, and where
CLAIMS = {
    "mysql-connector-python": (
        "cursors are not buffered unless asked: rows are not fetched until a fetching method is called",
        "https://dev.mysql.com/doc/connector-python/en/connector-python-api-mysqlcursorbuffered.html",
    ),
    "mysqlclient": (
        "SSCursor stores the result set in the server, Cursor in the client",
        "https://mysqlclient.readthedocs.io/user_guide.html#using-and-extending",
    ),
    "PyMySQL": (
        "SSCursor fetches rows as needed, and the client uses much less memory",
        "https://pymysql.readthedocs.io/en/latest/modules/cursors.html",
    ),
    "mariadb": (
        "buffered is True by default; if it is False, the result is unbuffered",
        "https://mariadb-corporation.github.io/mariadb-connector-python/connection.html",
    ),
    "aiomysql": (
        "SSCursor fetches rows as needed, and the client uses much less memory",
        "https://aiomysql.readthedocs.io/en/stable/cursors.html",
    ),
    "asyncmy": (
        "SSCursor fetches rows as needed, and the client uses much less memory",
        "https://github.com/long2ice/asyncmy",
    ),
    "SQLAlchemy Core": (
        "stream_results streams rows where the dialect supports it; its mysqlconnector dialect says in its code "
        "that it does not, because of a bug in the driver",
        "https://docs.sqlalchemy.org/en/21/core/connections.html#using-server-side-cursors-a-k-a-stream-results",
    ),
    "SQLAlchemy ORM": (
        "yield_per sets stream_results and makes objects so many at a time",
        "https://docs.sqlalchemy.org/en/21/orm/queryguide/api.html#fetching-large-result-sets-with-yield-per",
    ),
    "pandas": (
        "chunksize gives an iterator; by itself it typically does not reduce the peak of memory",
        "https://pandas.pydata.org/docs/reference/api/pandas.read_sql.html",
    ),
    "polars": (
        "iter_batches is for large results, in a more memory-efficient manner",
        "https://docs.pola.rs/api/python/stable/reference/api/polars.read_database.html",
    ),
    "Django": (
        "MySQL does not support streaming results, so the driver loads the entire result set into memory",
        "https://docs.djangoproject.com/en/5.2/ref/models/querysets/#without-server-side-cursors",
    ),
    "peewee": (
        "iterator() reduces the amount of memory used when iterating over many rows",
        "https://docs.peewee-orm.com/en/latest/peewee/querying.html#iterating-over-large-result-sets",
    ),
    "connectorx": (
        "arrow_stream gives batches of at most batch_size rows",
        "https://sfu-db.github.io/connector-x/api.html",
    ),
    "Dask": (
        "each range of index_col is a partition, read when it is computed",
        "https://docs.dask.org/en/stable/generated/dask.dataframe.read_sql_query.html",
    ),
    "this course": (
        "the rows come as you ask for them, and a stop ends the query",
        "../notebooks/02_stream_users.ipynb",
    ),
}


@dataclass(frozen=True)
class Way:
    """One way to read a table.

    `library` is a key of CLAIMS, `package` what must be installed. `connect` returns the names that `code` starts
    from; `code` makes `rows`; `close` is what its documents do at the end. `batches`: rows come several at a time.
    """

    library: str
    option: str
    package: str
    connect: object
    code: str
    close: str = "connection.close()"
    batches: bool = False
    streams: bool = False  # whether its documents offer it as the way that streams
    tcp: bool = False  # it takes a host and a port alone

    @property
    def name(self):
        """What the table calls it (str)."""
        return f"{self.library}, {self.option}"

    @property
    def missing(self):
        """Why it cannot run here (str); "" when it can."""
        try:
            importlib.metadata.version(self.package)
        except importlib.metadata.PackageNotFoundError:
            return peers.NOT_INSTALLED
        return ""


class Reader:
    """A way that is ready: start it, iterate for the rows of each batch, close it.

    Code with `await` runs in an event loop of the reader's own, a step for each row.
    """

    def __init__(self, way, where):
        self.way, self.loop = way, asyncio.new_event_loop()
        self.names = {"query": QUERY, **way.connect(where)}

    def start(self):
        """Run the way's code; return an iterator of numbers: the rows that came at once."""
        self._run(self.way.code)
        return self._lengths(self.names["rows"])

    def _lengths(self, rows):
        if hasattr(rows, "__aiter__"):
            stream = aiter(rows)
            while self.loop.run_until_complete(anext(stream, None)) is not None:
                yield 1
        elif self.way.batches:
            for batch in rows:
                yield batch.num_rows if hasattr(batch, "num_rows") else len(batch)
        else:
            for _ in rows:
                yield 1

    def close(self):
        """Close as the documents do; raise what that raises."""
        self._run(self.way.close)

    def _run(self, code):
        result = eval(compile(code, self.way.name, "exec", flags=AWAIT), self.names)
        if inspect.iscoroutine(result):
            self.loop.run_until_complete(result)


# The ways -------------------------------------------------------------------------------------------------------------

_LOOP = "cursor = connection.cursor({})\ncursor.execute(query)\nrows = cursor"
# `async for row in cursor` raises TypeError: in 9.7.0 and 26.10.0, the driver's __aiter__ is a coroutine
_AIO = (
    "async def each(cursor):\n    while row := await cursor.fetchone():\n        yield row\n\n\n"
    "connection = await aio.connect(**where)\ncursor = await connection.cursor({})\nawait cursor.execute(query)\n"
    "rows = each(cursor)"
)
_ASYNC = "connection = await library.connect(**where)\ncursor = {}\nawait cursor.execute(query)\nrows = cursor"
_CORE = "connection = engine.connect(){}\nrows = connection.execute(text(query))"
_ORM = "rows = session.scalars(select(User).order_by(User.user_id){})"
_PANDAS = "connection = engine.connect(){}\nrows = pandas.read_sql(text(query), connection, chunksize=10_000)"
_POLARS = (
    "connection = engine.connect(){}\n"
    "rows = polars.read_database(text(query), connection, iter_batches=True, batch_size=10_000)"
)
_STREAM = ".execution_options(stream_results=True)"
_DRIVERS = {"mysqlconnector": "mysql-connector-python", "pymysql": "PyMySQL", "mysqldb": "mysqlclient"}


def _fetchmany(options):
    return (
        f"cursor = connection.cursor({options})\ncursor.execute(query)\nrows = iter(lambda: cursor.fetchmany(1000), [])"
    )


def _drivers():
    connector = "mysql-connector-python"
    yield Way(connector, "default cursor", connector, starts.connector, _LOOP.format(""), streams=True)
    yield Way(connector, "raw=True, fetchmany", connector, starts.connector, _fetchmany("raw=True"), batches=True,
              streams=True)  # fmt: skip
    yield Way(connector, "buffered=True", connector, starts.connector, _LOOP.format("buffered=True"))
    yield Way(connector, "use_pure=True", connector, starts.pure, f"# connect(…, use_pure=True)\n{_LOOP.format('')}",
              streams=True)  # fmt: skip
    close = "await connection.close()"
    yield Way(connector, "aio, default cursor", connector, starts.aio, _AIO.format(""), close, streams=True)
    yield Way(connector, "aio, buffered=True", connector, starts.aio, _AIO.format("buffered=True"), close)
    for library, package, connect in (
        ("mysqlclient", "mysqlclient", starts.mysqlclient),
        ("PyMySQL", "PyMySQL", starts.pymysql),
    ):
        yield Way(library, "default cursor", package, connect, _LOOP.format(""))
        yield Way(
            library, "default cursor, fetchmany", package, connect, _fetchmany("").replace("[])", "())"), batches=True
        )
        yield Way(library, "SSCursor", package, connect, _LOOP.format("SSCursor"), streams=True)
        yield Way(library, "SSDictCursor", package, connect, _LOOP.format("SSDictCursor"), streams=True)
    yield Way("mariadb", "default cursor", "mariadb", starts.mariadb, _LOOP.format(""))
    yield Way("mariadb", "buffered=False", "mariadb", starts.mariadb, _LOOP.format("buffered=False"), streams=True)
    for library, cursor in (("aiomysql", "await connection.cursor({})"), ("asyncmy", "connection.cursor({})")):
        connect = starts.asynchronous(library)
        yield Way(library, "Cursor", library, connect, _ASYNC.format(cursor.format("Cursor")), "connection.close()")
        yield Way(library, "SSCursor", library, connect, _ASYNC.format(cursor.format("SSCursor")), "connection.close()",
                  streams=True)  # fmt: skip


def _libraries():
    for driver, package in _DRIVERS.items():
        for option, code in (("default", ""), ("stream_results=True", _STREAM)):
            yield Way("SQLAlchemy Core", f"{driver}, {option}", package, starts.engine(driver), _CORE.format(code),
                      streams=bool(code))  # fmt: skip
    for driver, package in _DRIVERS.items():
        for option, code in (("default", ""), ("yield_per=1000", ".execution_options(yield_per=1000)")):
            yield Way("SQLAlchemy ORM", f"{driver}, {option}", package, starts.orm(driver), _ORM.format(code),
                      "session.close()", streams=bool(code))  # fmt: skip
    for driver, package in list(_DRIVERS.items())[:2]:
        for option, code in (("chunksize", ""), ("chunksize and stream_results", _STREAM)):
            yield Way("pandas", f"{driver}, {option}", package, starts.pandas(driver), _PANDAS.format(code),
                      batches=True, streams=True)  # fmt: skip
    raw = "rows = pandas.read_sql(query, connection, chunksize=10_000)"
    yield Way("pandas", "a mysql.connector connection, chunksize", "pandas", starts.pandas(None), raw, batches=True,
              streams=True)  # fmt: skip
    for driver, code in (("mysqlconnector", ""), ("pymysql", ""), ("pymysql", _STREAM)):
        option = "iter_batches and stream_results" if code else "iter_batches"
        yield Way("polars", f"{driver}, {option}", "polars", starts.polars(driver), _POLARS.format(code), batches=True,
                  streams=True)  # fmt: skip


def _others():
    every = "rows = User.objects.order_by('user_id')"
    for engine, name in (
        ("django.db.backends.mysql", "mysqlclient"),
        ("mysql.connector.django", "mysql.connector.django"),
    ):
        yield Way("Django", f"{name}, default", "Django", starts.django(engine), every)
        yield Way("Django", f"{name}, iterator()", "Django", starts.django(engine),
                  f"{every}.iterator(chunk_size=1000)", streams=True)  # fmt: skip
    every = "rows = User.select().order_by(User.user_id)"
    yield Way("peewee", "default", "peewee", starts.peewee(), every)
    yield Way("peewee", "iterator()", "peewee", starts.peewee(), f"{every}.iterator()", streams=True)
    yield Way("peewee", "iterator() and SSCursor", "peewee", starts.peewee(starts.ss_cursor), f"{every}.iterator()",
              streams=True)  # fmt: skip
    code = "rows = connectorx.read_sql(url, query, return_type={})"
    yield Way("connectorx", "arrow", "connectorx", starts.connectorx, code.format("'arrow'") + ".to_batches()",
              "del rows", batches=True, tcp=True)  # fmt: skip
    yield Way("connectorx", "arrow_stream", "connectorx", starts.connectorx,
              code.format("'arrow_stream', batch_size=10_000"), "del rows", batches=True, streams=True,
              tcp=True)  # fmt: skip
    code = (
        "frame = dask.dataframe.read_sql_query(query, url, 'user_id', divisions=list('02468acef') + ['g'])\n"
        "rows = (part.compute(scheduler='synchronous') for part in frame.partitions)"
    )
    yield Way("Dask", "read_sql_query, 9 ranges", "dask", starts.dask, code, "rows.close()", batches=True, streams=True,
              tcp=True)  # fmt: skip
    yield Way("this course", "stream_users", "mysql-connector-python", starts.course, "rows = stream_users()",
              "rows.close()", streams=True)  # fmt: skip


WAYS = [*_drivers(), *_libraries(), *_others()]
