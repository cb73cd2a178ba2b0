"""What learners answer in lesson 02."""

from answers import Turn

FIRST = """
def stream_users():
    connection = seed.connect_to_prodev()
    cursor = connection.cursor()
    cursor.execute(QUERY)
"""
STEP_1 = Turn(
    "stream_users",
    step=1,
    right=[
        FIRST + "    for user in cursor:\n        yield user\n    connection.close()\n",
        FIRST + "    yield from cursor\n    connection.close()\n",
        FIRST + """
    while True:
        user = cursor.fetchone()
        if user is None:
            break
        yield user
    cursor.close()
    connection.close()
""",
        FIRST + "    while rows := cursor.fetchmany(100):\n        yield from rows\n",
    ],
    wrong=[
        ("def stream_users(): ...", "not written yet"),
        (FIRST + "    return [user for user in cursor]\n", "had come from the server before your first one came out"),
        (FIRST + "    users = []\n    for user in cursor:\n        users.append(user)\n    yield users\n",
         "the first thing that came was"),
        (FIRST + "    users = cursor.fetchall()\n    for user in users:\n        yield user\n",
         "had come from the server before your first one came out"),
        (FIRST + "    for user in cursor:\n        return user\n", "the first thing that came was"),
        (FIRST + "    for user in cursor:\n        print(user)\n", "it gave None: a return or a yield is missing"),
        (FIRST.replace("cursor()", "cursor(buffered=True)") + "    for user in cursor:\n        yield user\n",
         "the cursor is a CMySQLCursorBuffered"),
        (FIRST + "    for user in cursor:\n        yield\n", "the first thing that came was None"),
        (FIRST + "    yield cursor.fetchone()\n", "22 of 23 users were missing"),
        (FIRST + "    while True:\n        yield cursor.fetchone()\n", "users out of 23, and went on"),
        (FIRST.replace("    cursor.execute(QUERY)\n", "") + "    for user in cursor:\n        yield user\n",
         "it raised"),
    ],
)  # fmt: skip

DICTS = FIRST.replace("cursor()", "cursor(dictionary=True)")
STEP_2 = Turn(
    "stream_users",
    step=2,
    right=[
        DICTS + "    for user in cursor:\n        user['age'] = int(user['age'])\n        yield user\n    connection.close()\n",
        FIRST + """
    for user_id, name, email, age in cursor:
        yield {"user_id": user_id, "name": name, "email": email, "age": int(age)}
    connection.close()
""",
        DICTS + "    for user in cursor:\n        yield {**user, 'age': int(user['age'])}\n    connection.close()\n",
        FIRST + """
    for row in cursor:
        user = dict(zip(cursor.column_names, row))
        user["age"] = int(user["age"])
        yield user
""",
    ],
    wrong=[
        (FIRST + "    for user in cursor:\n        yield user\n", "the first user was a tuple"),
        (DICTS + "    for user in cursor:\n        yield user\n", "the first user's age was Decimal('67')"),
        (DICTS + "    for user in cursor:\n        int(user['age'])\n        yield user\n",
         "the first user's age was Decimal('67')"),
        (DICTS + "    for user in cursor:\n        user['age'] = str(user['age'])\n        yield user\n",
         "the first user's age was '67'"),
        (DICTS + "    for user in cursor:\n        yield user\n        user['age'] = int(user['age'])\n",
         "the first user's age was Decimal('67')"),
        (DICTS + "    for user in cursor:\n        user['age'] = float(user['age'])\n        yield user\n",
         "the first user's age was 67.0"),
        (FIRST + "    for user in cursor:\n        user[3] = int(user[3])\n        yield user\n",
         "'tuple' object does not support item assignment"),
        (FIRST + "    for user in cursor:\n        yield {'user_id': user[0], 'name': user[1], 'age': int(user[3])}\n",
         "the first thing that came was"),
        (FIRST + """
    user = {}
    for user["user_id"], user["name"], user["email"], age in cursor:
        user["age"] = int(age)
        yield user
""", "each user stays as it was, for those who keep it"),
        (DICTS.replace("dictionary=True", "dictionary=True, buffered=True")
         + "    for user in cursor:\n        user['age'] = int(user['age'])\n        yield user\n", "the cursor is a"),
    ],
)  # fmt: skip

STEP_3 = Turn(
    "stream_users",
    step=3,
    right=[
        """
def stream_users():
    connection = seed.connect_to_prodev()
    try:
        cursor = connection.cursor(dictionary=True)
        cursor.execute(QUERY)
        for user in cursor:
            user["age"] = int(user["age"])
            yield user
    finally:
        connection.close()
""",
        """
def stream_users():
    with closing(seed.connect_to_prodev()) as connection:
        cursor = connection.cursor(dictionary=True)
        cursor.execute(QUERY)
        for user in cursor:
            yield {**user, "age": int(user["age"])}
""",
        """
def stream_users():
    with seed.connect_to_prodev() as connection:
        cursor = connection.cursor(dictionary=True)
        cursor.execute(QUERY)
        for user in cursor:
            user["age"] = int(user["age"])
            yield user
""",
        """
def stream_users():
    connection = None
    try:
        connection = seed.connect_to_prodev()
        cursor = connection.cursor(dictionary=True)
        cursor.execute(QUERY)
        for user in cursor:
            user["age"] = int(user["age"])
            yield user
    finally:
        if connection is not None:
            connection.close()
""",
    ],
    wrong=[
        (DICTS + "    for user in cursor:\n        user['age'] = int(user['age'])\n        yield user\n    connection.close()\n",
         "your connection was still open"),
        ("""
def stream_users():
    connection = seed.connect_to_prodev()
    try:
        cursor = connection.cursor(dictionary=True)
        cursor.execute(QUERY)
        for user in cursor:
            user["age"] = int(user["age"])
            yield user
    except mysql.connector.Error:
        connection.close()
""", "still open"),
        ("""
def stream_users():
    connection = seed.connect_to_prodev()
    try:
        cursor = connection.cursor(dictionary=True)
        cursor.execute(QUERY)
        for user in cursor:
            user["age"] = int(user["age"])
            yield user
    finally:
        cursor.close()
        connection.close()
""", "Unread result found"),
        ("""
def stream_users():
    connection = seed.connect_to_prodev()
    try:
        cursor = connection.cursor(dictionary=True)
        cursor.execute(QUERY)
        for user in cursor:
            user["age"] = int(user["age"])
            yield user
    finally:
        connection.close
""", "your connection was still open"),
        ("""
def stream_users():
    connection = seed.connect_to_prodev()
    cursor = connection.cursor(dictionary=True)
    cursor.execute(QUERY)
    try:
        for user in cursor:
            user["age"] = int(user["age"])
            yield user
    finally:
        connection.close()
""", "the table was missing, so the query raised an error, and your connection was still open"),
        ("""
def stream_users():
    connection = seed.connect_to_prodev()
    cursor = connection.cursor(dictionary=True)
    cursor.execute(QUERY)
    for user in cursor:
        try:
            user["age"] = int(user["age"])
            yield user
        finally:
            connection.close()
""", "No result set available"),
        ("""
def stream_users():
    try:
        connection = seed.connect_to_prodev()
        cursor = connection.cursor(dictionary=True)
        cursor.execute(QUERY)
        for user in cursor:
            user["age"] = int(user["age"])
            yield user
    finally:
        connection.close()
""", "UnboundLocalError"),
        ("""
def stream_users():
    connection = seed.connect_to_prodev()
    try:
        cursor = connection.cursor(dictionary=True)
        cursor.execute(QUERY)
    finally:
        connection.close()
    for user in cursor:
        user["age"] = int(user["age"])
        yield user
""", "its connection was closed, and then its rows were asked for"),
        ("""
def stream_users():
    connection = seed.connect_to_prodev()
    try:
        cursor = connection.cursor(dictionary=True)
        cursor.execute(QUERY)
        for user in cursor:
            user["age"] = int(user["age"])
            yield user
    except mysql.connector.Error as error:
        print(error)
    finally:
        connection.close()
""", "it ended as if that were all"),
        ("""
def stream_users():
    with closing(seed.connect_to_prodev()) as connection:
        cursor = connection.cursor(dictionary=True)
        cursor.execute(QUERY)
        return ({**user, "age": int(user["age"])} for user in cursor)
""", "its connection was closed before the first next()"),
    ],
)  # fmt: skip

STOP = """
def stop(connection):
    with suppress(mysql.connector.Error), closing(connection):
        if connection.unread_result:
            with closing(seed.connect_db()) as second:
                second.cursor().execute("KILL QUERY %s", (connection.connection_id,))
"""
WITH_STOP = """

def stream_users():
    connection = seed.connect_to_prodev()
    try:
        cursor = connection.cursor(dictionary=True)
        cursor.execute(QUERY)
        for user in cursor:
            user["age"] = int(user["age"])
            yield user
    finally:
        stop(connection)
"""
STEP_4 = Turn(
    "stream_users",
    step=4,
    right=[
        STOP + WITH_STOP,
        '''
def stop(connection):
    if connection.unread_result:
        killer = seed.connect_db()
        killer.cmd_query(f"KILL QUERY {connection.connection_id}")
        killer.close()
    try:
        connection.close()
    except mysql.connector.Error:
        pass
''' + WITH_STOP,
        '''
def stop(connection):
    second = seed.connect_to_prodev()
    cursor = second.cursor()
    cursor.execute("KILL QUERY " + str(connection.connection_id))
    cursor.close()
    second.close()
    with suppress(mysql.connector.Error):
        connection.close()
''' + WITH_STOP,
        '''
def stop(connection):
    """The whole connection is killed."""
    with closing(seed.connect_db()) as second, suppress(mysql.connector.Error):
        second.cursor().execute("KILL %s", (connection.connection_id,))
    with suppress(mysql.connector.Error):
        connection.close()
''' + WITH_STOP,
    ],
    wrong=[
        ("def stop(connection):\n    connection.close()\n" + WITH_STOP, "closing read the rest of 10,000 rows"),
        ('''
def stop(connection):
    connection.close()
    with closing(seed.connect_db()) as second:
        second.cursor().execute("KILL QUERY %s", (connection.connection_id,))
''' + WITH_STOP, "it raised"),
        ('''
def stop(connection):
    connection.cursor().execute("KILL QUERY %s", (connection.connection_id,))
    connection.close()
''' + WITH_STOP, "Query execution was interrupted"),
        ('''
def stop(connection):
    connection.consume_results()
    connection.close()
''' + WITH_STOP, "closing read the rest of 10,000 rows"),
        ('''
def stop(connection):
    with closing(seed.connect_db()) as second:
        second.cursor().execute("KILL QUERY %s", (second.connection_id,))
    connection.close()
''' + WITH_STOP, "Query execution was interrupted"),
        ('''
def stop(connection):
    if connection.unread_result:
        with closing(seed.connect_db()) as second:
            second.cursor().execute("KILL QUERY %s", (connection.connection_id,))
''' + WITH_STOP, "still open"),
        (STOP + WITH_STOP.replace("stop(connection)", "connection.close()"), "closing read the rest of 10,000 rows"),
        ("def stop(connection):\n    pass\n" + WITH_STOP, "still open"),
    ],
)  # fmt: skip

MENDED = WITH_STOP.replace("stream_users()", "stream_users_bug_2()")
EXCEPT = """
def stream_users_bug_2():
    connection = seed.connect_to_prodev()
    try:
        cursor = connection.cursor(dictionary=True)
        cursor.execute(QUERY)
        for user in cursor:
            user["age"] = int(user["age"])
            yield user
    except mysql.connector.Error as error:
        HERE
    finally:
        stop(connection)
"""
BUG_2 = Turn(
    "stream_users",
    step=4,
    name="stream_users_bug_2",
    right=[
        MENDED,
        EXCEPT.replace("HERE", 'print("Something went wrong.")\n        raise'),
        EXCEPT.replace("HERE", 'raise RuntimeError("the table was not read to its end") from error'),
    ],
    wrong=[
        (EXCEPT.replace("HERE", 'print("Something went wrong.")'), "it ended as if that were all"),
        (EXCEPT.replace("HERE", "pass"), "it ended as if that were all"),
        (EXCEPT.replace("HERE", "return"), "it ended as if that were all"),
        (EXCEPT.replace("HERE", "yield None"), "it ended as if that were all"),
        (EXCEPT.replace("HERE", "return error"), "it ended as if that were all"),
        (EXCEPT.replace("HERE", "sys.exit(1)"), "it would have ended the notebook"),
        (EXCEPT.replace("mysql.connector.Error as error", "Exception").replace("HERE", "print('lost')"),
         "it ended as if that were all"),
        (MENDED.replace("    finally:\n        stop(connection)", "    except ValueError:\n        stop(connection)"),
         "still open"),
    ],
)  # fmt: skip

NAMES = """
def stream_names_over(limit):
    connection = seed.connect_to_prodev()
    try:
        cursor = connection.cursor()
        cursor.execute("SELECT name FROM user_data WHERE age > %s", (limit,))
        for (name,) in cursor:
            yield name
    finally:
        stop(connection)
"""
FAULTY = """
def stream_names_over(limit):
    connection = seed.connect_to_prodev()
    cursor = connection.cursor(buffered=True)
    try:
        cursor.execute("SELECT name FROM user_data WHERE age > %s", limit)
        for (name,) in cursor:
            yield name
    except Exception:
        return
    connection.close()
"""
MEND = Turn(
    "stream_names_over",
    right=[
        NAMES,
        """
def stream_names_over(limit):
    connection = seed.connect_to_prodev()
    cursor = connection.cursor(dictionary=True)
    try:
        cursor.execute("SELECT name FROM user_data WHERE age > %(limit)s ORDER BY user_id", {"limit": limit})
        for user in cursor:
            yield user["name"]
    finally:
        stop(connection)
""",
        """
def stream_names_over(limit):
    with contextlib.closing(stream_users()) as users:
        for user in users:
            if user["age"] > limit:
                yield user["name"]
""",
        """
def stream_names_over(limit):
    with contextlib.ExitStack() as stack:
        connection = seed.connect_to_prodev()
        stack.callback(stop, connection)
        cursor = connection.cursor(buffered=False)
        cursor.execute("SELECT name FROM user_data WHERE age > %s", [limit])
        yield from (name for name, in cursor)
""",
    ],
    before="import contextlib",
    wrong=[
        ("def stream_names_over(limit):\n    ...", "not written yet"),
        (FAULTY, "15 of 15 names were missing"),
        (FAULTY.replace("    except Exception:\n        return\n", "    finally:\n        pass\n"), "it raised"),
        (FAULTY.replace("limit)\n        for", "(limit,))\n        for"), "the cursor is a CMySQLCursorBuffered"),
        (NAMES.replace("cursor()", "cursor(buffered=True)"), "the cursor is a CMySQLCursorBuffered"),
        (NAMES.replace("    finally:\n        stop(connection)", "    except Exception:\n        return\n    stop(connection)"),
         "still open"),
        (NAMES.replace("    finally:", "    except Exception:\n        return\n    finally:"), "it ended as if that were all"),
        (NAMES.replace("stop(connection)", "connection.close()"), "closing read the rest of 10,000 rows"),
        (NAMES.replace("stop(connection)", "cursor.close()\n        connection.close()"), "Unread result found"),
        (NAMES.replace("for (name,) in", "for name in"), "stream_names_over(25) gave ('Person 01',)"),
        (NAMES.replace("age > %s", "age >= %s"), "4 are not in the right answer"),
        (NAMES.replace("(limit,)", "(25,)"), "stream_names_over(90)"),
        (NAMES.replace("for (name,) in cursor", "for (name,) in cursor.fetchall()"), "had come from the server before"),
        (NAMES.replace("yield name", "return name"), "15 of 15 names were missing, 9 are not"),
    ],
)  # fmt: skip

FIND = Turn(
    "find_user",
    right=[
        """
def find_user(email):
    with closing(stream_users()) as users:
        for user in users:
            if user["email"] == email:
                return user
    return None
""",
        """
def find_user(email):
    with closing(stream_users()) as users:
        return next((user for user in users if user["email"] == email), None)
""",
        """
def find_user(email):
    users = stream_users()
    try:
        for user in users:
            if user["email"] == email:
                return user
    finally:
        users.close()
""",
        """
def find_user(email):
    found = None
    users = stream_users()
    for user in users:
        if user["email"] == email:
            found = user
            break
    users.close()
    return found
""",
    ],
    wrong=[
        ("def find_user(email):\n    ...\n", "not written yet"),
        ("""
def find_user(email):
    for user in stream_users():
        if user["email"] == email:
            return user
""", "the stream was still paused"),
        ("""
def find_user(email):
    for user in list(stream_users()):
        if user["email"] == email:
            return user
""", "you wanted the tenth user, and it took 23"),
        ("""
def find_user(email):
    found = None
    with closing(stream_users()) as users:
        for user in users:
            if user["email"] == email:
                found = user
    return found
""", "you wanted the tenth user, and it took 23"),
        ("""
def find_user(email):
    with closing(stream_users()) as users:
        for user in users:
            if user["email"] == email:
                break
        return user
""", "for nobody@example.com it returned"),
        ("""
def find_user(email):
    with closing(stream_users()) as users:
        for user in users:
            if user["email"] == email:
                return user
            else:
                return None
""", "find_user of the tenth user's e-mail gave None"),
        ("""
def find_user(email):
    with closing(stream_users()) as users:
        return next(user for user in users if user["email"] == email)
""", "it raised StopIteration"),
        ("""
def find_user(email):
    with closing(seed.connect_to_prodev()) as connection:
        cursor = connection.cursor(dictionary=True)
        cursor.execute("SELECT * FROM user_data WHERE email = %s", (email,))
        return cursor.fetchone()
""", "it never called stream_users()"),
        ("""
def find_user(email):
    with closing(stream_users()) as users:
        for user in users:
            if user["email"] == email:
                print(user)
""", "gave None"),
        ("""
def find_user(email):
    with closing(stream_users()) as users:
        for user in users:
            if user["email"] == email:
                return user["name"]
""", "find_user of the tenth user's e-mail gave"),
        ("""
def find_user(email):
    with closing(stream_users()) as users:
        while next(users)["email"] != email:
            pass
        return next(users)
""", "find_user of the tenth user's e-mail gave"),
    ],
)  # fmt: skip

ASYNC = """
async def stream_users_async():
    connection = await connect_async()
    try:
        cursor = await connection.cursor(dictionary=True)
        await cursor.execute(QUERY)
        while user := await cursor.fetchone():
            user["age"] = int(user["age"])
            yield user
    finally:
        await connection.close()
"""
BLOCKING = """
async def stream_users_async():
    connection = seed.connect_to_prodev()
    try:
        cursor = connection.cursor(dictionary=True)
        cursor.execute(QUERY)
        for user in cursor:
            user["age"] = int(user["age"])
            yield user
    finally:
        connection.close()
"""
STREAM_ASYNC = Turn(
    "stream_users_async",
    right=[
        ASYNC,
        """
async def stream_users_async():
    async with await connect_async() as connection:
        cursor = await connection.cursor()
        await cursor.execute(QUERY)
        while rows := await cursor.fetchmany(100):
            for user_id, name, email, age in rows:
                yield {"user_id": user_id, "name": name, "email": email, "age": int(age)}
""",
        """
async def stream_users_async():
    users = stream_users()
    try:
        while (user := await asyncio.to_thread(next, users, None)) is not None:
            yield user
    finally:
        await asyncio.to_thread(users.close)
""",
        """
async def stream_users_async():
    connection = await connect_async()
    try:
        cursor = await connection.cursor(dictionary=True)
        await cursor.execute(QUERY)
        while True:
            user = await cursor.fetchone()
            if user is None:
                return
            yield {**user, "age": int(user["age"])}
    finally:
        await connection.shutdown()
""",
    ],
    wrong=[
        ("async def stream_users_async():\n    ...\n", "not written yet"),
        (BLOCKING, "another task had no turn"),
        (BLOCKING.replace("async def", "def"), "it gave a generator that is not async"),
        ("""
async def stream_users_async():
    async with await connect_async() as connection:
        cursor = await connection.cursor(dictionary=True)
        await cursor.execute(QUERY)
        return await cursor.fetchall()
""", "it gave a coroutine: there is no yield in it"),
        (ASYNC.replace("while user := await cursor.fetchone():", "async for user in cursor:"), "it raised TypeError"),
        (ASYNC.replace("while user := await cursor.fetchone():", "for user in await cursor.fetchall():"),
         "had come from the server before your first one came out"),
        (ASYNC.replace("dictionary=True", "dictionary=True, buffered=True"),
         "had come from the server before your first one came out"),
        (ASYNC.replace("        await cursor.execute", "        cursor.execute"), "it raised"),
        (ASYNC.replace("        await connection.close()", "        connection.close()"), "still open"),
        (ASYNC.replace("            user[\"age\"] = int(user[\"age\"])\n", ""), "the first user's age was"),
        (ASYNC.replace("dictionary=True", ""), "it raised TypeError"),
        (ASYNC.replace("    finally:", "    except Exception:\n        pass\n    finally:"), "as if"),
        (ASYNC.replace("    finally:\n", "    finally:\n        await cursor.close()\n"), "Unread result"),
        (ASYNC.replace("    try:\n", "    if True:\n").replace("    finally:\n    ", ""), "still open"),
    ],
)  # fmt: skip

TURNS = [STEP_1, STEP_2, STEP_3, STEP_4, BUG_2, MEND, FIND, STREAM_ASYNC]
