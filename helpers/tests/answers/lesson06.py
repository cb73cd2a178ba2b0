"""Lesson 06: the job in five steps, and two exercises."""

from answers import Turn

READ = Turn(
    "read_batches",
    right=[
        """
        def read_batches(cursor, after, size):
            while True:
                cursor.execute("SELECT id, domain FROM domains WHERE id > %s ORDER BY id LIMIT %s", (after, size))
                rows = cursor.fetchall()
                if not rows:
                    return
                after = rows[-1][0]
                yield rows
        """,
        """
        def read_batches(cursor, after, size):
            query = "SELECT id, domain FROM domains WHERE id > %(after)s ORDER BY id ASC LIMIT %(size)s"
            rows = [(after, "")]
            while rows:
                cursor.execute(query, {"after": rows[-1][0], "size": size})
                rows = cursor.fetchall()
                if rows:
                    yield rows[:]
        """,
        """
        def one_batch(cursor, after, size):
            cursor.execute("select id, domain from domains where id > %s order by id limit %s", (after, size))
            return list(cursor)

        def read_batches(cursor, after, size):
            while batch := one_batch(cursor, after, size):
                after, last = max(number for number, _ in batch), len(batch) < size
                yield batch
                if last:
                    break
        """,
    ],
    wrong=[
        (
            """
        def read_batches(cursor, after, size):
            while True:
                cursor.execute("SELECT id, domain FROM domains WHERE id > %s ORDER BY id LIMIT %s", (after, size))
                rows = cursor.fetchall()
                if not rows:
                    return
                yield rows
                after = rows[-1][0]
        """,
            "a batch is its reader's",
        ),
        (
            """
        def read_batches(cursor, after, size):
            while True:
                cursor.execute("SELECT id, domain FROM domains WHERE id >= %s ORDER BY id LIMIT %s", (after, size))
                rows = cursor.fetchall()
                if not rows:
                    return
                yield rows
                after = rows[-1][0]
        """,
            "row 10 came again, and it did not end",
        ),
        (
            """
        def read_batches(cursor, after, size):
            while True:
                cursor.execute("SELECT id, domain FROM domains WHERE id > %s AND id <= %s ORDER BY id", (after, after + size))
                rows = cursor.fetchall()
                if not rows:
                    return
                yield rows
                after += size
        """,
            "20 of 24 rows did not come, the first of them with id 41",
        ),
        (
            """
        def read_batches(cursor, after, size):
            offset = after
            while True:
                cursor.execute("SELECT id, domain FROM domains ORDER BY id LIMIT %s OFFSET %s", (size, offset))
                rows = cursor.fetchall()
                if not rows:
                    return
                yield rows
                offset += size
        """,
            "5 of 40 rows did not come, the first of them with id 11",
        ),
        (
            """
        def read_batches(cursor, after, size):
            while True:
                cursor.execute("SELECT id, domain FROM domains WHERE id > %s LIMIT %s", (after, size))
                rows = cursor.fetchall()
                if not rows:
                    return
                yield rows
                after = rows[-1][0]
        """,
            "its query has no ORDER BY",
        ),
        (
            """
        def read_batches(cursor, after, size):
            cursor.execute("SELECT id, domain FROM domains WHERE id > %s ORDER BY id", (after,))
            rows = cursor.fetchall()
            for start in range(0, len(rows), size):
                yield rows[start : start + size]
        """,
            "one query sent 40 rows, for batches of 10",
        ),
        (
            """
        def read_batches(cursor, after, size):
            cursor.execute("SELECT id, domain FROM domains WHERE id > %s ORDER BY id LIMIT %s", (after, size))
            return cursor.fetchall()
        """,
            "it gave a list: is a yield missing?",
        ),
        (
            """
        def read_batches(cursor, after, size):
            cursor.execute("SELECT id, domain FROM domains WHERE id > %s ORDER BY id LIMIT %s", (after, size))
            yield cursor.fetchall()
        """,
            "45 of 55 rows did not come",
        ),
        (
            """
        def read_batches(cursor, after, size):
            while True:
                cursor.execute("SELECT id, domain FROM domains WHERE id > %s ORDER BY id LIMIT %s", (after, size))
                rows = cursor.fetchall()
                yield rows
                after = rows[-1][0]
        """,
            "IndexError",
        ),
        (
            """
        def read_batches(cursor, after, size):
            while True:
                cursor.execute("SELECT id, domain FROM domains WHERE id > %s ORDER BY id LIMIT %s", (after, size))
                for row in cursor.fetchall():
                    yield row
                    after = row[0]
        """,
            "the first batch is (1, 'site1.example')",
        ),
        (
            """
        def read_batches(cursor, after, size):
            while True:
                cursor.execute("SELECT id, domain FROM domains WHERE id > %s ORDER BY id LIMIT %s", (after, size))
                rows = cursor.fetchall()
                if len(rows) < size:
                    return
                yield rows
                after = rows[-1][0]
        """,
            "5 of 55 rows did not come",
        ),
    ],
)

LOOK_UP = Turn(
    "look_up",
    right=[
        """
        def look_up(rows, source):
            ranks = source([domain for _, domain in rows])
            return [(number, rank) for (number, _), rank in zip(rows, ranks, strict=True)]
        """,
        """
        def look_up(rows, source):
            ids, domains = zip(*rows)
            return list(zip(ids, source(list(domains)), strict=True))
        """,
        """
        def look_up(rows, source):
            ranks = source([row[1] for row in rows])
            if len(ranks) != len(rows):
                raise ValueError(f"{len(rows)} domains, {len(ranks)} ranks")
            pairs = []
            for row, rank in zip(rows, ranks):
                pairs.append((row[0], rank))
            return pairs
        """,
    ],
    wrong=[
        (
            """
        def look_up(rows, source):
            return [(number, source([domain])[0]) for number, domain in rows]
        """,
            "it asked the source 3 times for a batch of 3",
        ),
        (
            """
        def look_up(rows, source):
            ranks = source([domain for _, domain in rows])
            return [(number, rank) for (number, _), rank in zip(rows, ranks)]
        """,
            "3 domains, 2 ranks: it gave",
        ),
        (
            """
        def look_up(rows, source):
            ranks = source([domain for _, domain in rows])
            return zip((number for number, _ in rows), ranks, strict=True)
        """,
            "it gave a zip",
        ),
        (
            """
        def look_up(rows, source):
            ranks = source([domain for _, domain in rows])
            return [(number, rank) for (number, _), rank in zip(rows, ranks, strict=True) if rank]
        """,
            "it gave [(3, 70), (4, 5)]",
        ),
        (
            """
        def look_up(rows, source):
            ranks = source(rows)
            return [(number, rank) for (number, _), rank in zip(rows, ranks, strict=True)]
        """,
            "what the source was asked for gave",
        ),
        (
            """
        def look_up(rows, source):
            ranks = source([domain for _, domain in rows])
            return [(rank, number) for (number, _), rank in zip(rows, ranks, strict=True)]
        """,
            "it gave [(70, 3), (None, 9), (5, 4)]",
        ),
        (
            """
        def look_up(rows, source):
            ranks = source([domain for _, domain in rows])
            pairs = list(zip((number for number, _ in rows), ranks, strict=True))
        """,
            "it gave None: is a return missing?",
        ),
        (
            """
        def look_up(rows, source):
            ranks = source(sorted(domain for _, domain in rows))
            return [(number, rank) for (number, _), rank in zip(rows, ranks, strict=True)]
        """,
            "what the source was asked for gave",
        ),
    ],
)

WRITE = Turn(
    "write_ranks",
    right=[
        """
        def write_ranks(cursor, pairs):
            cursor.execute(f"UPDATE domains JOIN {NEW} USING (id) SET alexa_rank = new_rank", (json.dumps(pairs),))
        """,
        """
        def write_ranks(cursor, pairs):
            whens = " ".join(["WHEN %s THEN %s"] * len(pairs))
            places = ", ".join(["%s"] * len(pairs))
            values = [value for pair in pairs for value in pair] + [number for number, _ in pairs]
            cursor.execute(f"UPDATE domains SET alexa_rank = CASE id {whens} END WHERE id IN ({places})", values)
        """,
        """
        def write_ranks(cursor, pairs):
            ranks = dict(pairs)
            first, last = min(ranks), max(ranks)
            places = ["%s" if number in ranks else "alexa_rank" for number in range(first, last + 1)]
            values = [ranks[number] for number in range(first, last + 1) if number in ranks]
            statement = f"UPDATE domains SET alexa_rank = ELT(id - %s, {', '.join(places)}) WHERE id BETWEEN %s AND %s"
            cursor.execute(statement, [first - 1, *values, first, last])
        """,
    ],
    wrong=[
        (
            """
        def write_ranks(cursor, pairs):
            for number, rank in pairs:
                cursor.execute("UPDATE domains SET alexa_rank = %s WHERE id = %s", (rank, number))
        """,
            "32 statements for 32 rows",
        ),
        (
            """
        def write_ranks(cursor, pairs):
            swapped = [(rank, number) for number, rank in pairs]
            cursor.executemany("UPDATE domains SET alexa_rank = %s WHERE id = %s", swapped)
        """,
            "32 statements for 32 rows",
        ),
        (
            """
        def write_ranks(cursor, pairs):
            rows = [(number, "", rank) for number, rank in pairs]
            cursor.executemany("INSERT INTO domains (id, domain, alexa_rank) VALUES (%s, %s, %s) "
                               "ON DUPLICATE KEY UPDATE alexa_rank = VALUES(alexa_rank)", rows)
        """,
            "row 3 was deleted, and is there again",
        ),
        (
            """
        def write_ranks(cursor, pairs):
            whens = " ".join(["WHEN %s THEN %s"] * len(pairs))
            values = [value for pair in pairs for value in pair]
            cursor.execute(f"UPDATE domains SET alexa_rank = CASE id {whens} END", values)
        """,
            "row 5 had the rank 9, and has None now",
        ),
        (
            """
        def write_ranks(cursor, pairs):
            cursor.execute(f"UPDATE domains JOIN {NEW} USING (id) SET alexa_rank = new_rank", (json.dumps(pairs),))
            cursor.execute("COMMIT")
        """,
            "the caller's rollback() did not take the ranks back",
        ),
        (
            """
        def write_ranks(cursor, pairs):
            json.dumps(pairs)
        """,
            "no rank was written",
        ),
        (
            """
        def write_ranks(cursor, pairs):
            cursor.execute(f"UPDATE domains JOIN {NEW} USING (id) SET alexa_rank = new_rank", (json.dumps([(rank, number) for number, rank in pairs]),))
        """,
            "no rank was written",
        ),
        (
            """
        def write_ranks(cursor, pairs):
            cursor.execute(f"UPDATE domains JOIN {NEW} USING (id) SET alexa_rank = new_rank", (json.dumps([pair for pair in pairs if pair[1]]),))
        """,
            "1 of 32 rows are wrong: row 7 has 9, not None",
        ),
        (
            """
        def write_ranks(cursor, pairs):
            cursor.execute(f"UPDATE domains JOIN {NEW} USING (id) SET alexa_rank = new_rank", (pairs,))
        """,
            "it raised",
        ),
    ],
)

BATCH = Turn(
    "write_batch",
    right=[
        """
        def write_batch(connection, pairs):
            with closing(connection.cursor()) as cursor:
                write_ranks(cursor, pairs)
                cursor.execute("UPDATE checkpoint SET last_id = %s", (pairs[-1][0],))
            connection.commit()
        """,
        """
        def write_batch(connection, pairs):
            cursor = connection.cursor()
            try:
                cursor.execute("UPDATE checkpoint SET last_id = %s", (max(number for number, _ in pairs),))
                write_ranks(cursor, pairs)
            except Exception:
                connection.rollback()
                raise
            else:
                connection.commit()
            finally:
                cursor.close()
        """,
        """
        def write_batch(connection, pairs):
            cursor = connection.cursor()
            cursor.executemany("UPDATE domains SET alexa_rank = %s WHERE id = %s", [(rank, number) for number, rank in pairs])
            number, rank = pairs[-1]
            cursor.execute("UPDATE checkpoint SET last_id = %s", [number])
            cursor.execute("COMMIT")
        """,
    ],
    wrong=[
        (
            """
        def write_batch(connection, pairs):
            connection.start_transaction()
            with closing(connection.cursor()) as cursor:
                write_ranks(cursor, pairs)
                cursor.execute("UPDATE checkpoint SET last_id = %s", (pairs[-1][0],))
            connection.commit()
        """,
            "Each statement begins a transaction where none is open, a SELECT too.",
        ),
        (
            """
        def write_batch(connection, pairs):
            with closing(connection.cursor()) as cursor:
                write_ranks(cursor, pairs)
                connection.commit()
                cursor.execute("UPDATE checkpoint SET last_id = %s", (pairs[-1][0],))
                connection.commit()
        """,
            "rows 1 to 10 written and not counted: they are done twice",
        ),
        (
            """
        def write_batch(connection, pairs):
            with closing(connection.cursor()) as cursor:
                cursor.execute("UPDATE checkpoint SET last_id = %s", (pairs[-1][0],))
                connection.commit()
                write_ranks(cursor, pairs)
                connection.commit()
        """,
            "rows 1 to 10 count as done and never get a rank",
        ),
        (
            """
        def write_batch(connection, pairs):
            with closing(connection.cursor()) as cursor:
                write_ranks(cursor, pairs)
                cursor.execute("UPDATE checkpoint SET last_id = %s", (pairs[-1][0],))
        """,
            "nothing of it is there: was it committed?",
        ),
        (
            """
        def write_batch(connection, pairs):
            connection.autocommit = True
            with closing(connection.cursor()) as cursor:
                write_ranks(cursor, pairs)
                cursor.execute("UPDATE checkpoint SET last_id = %s", (pairs[-1][0],))
        """,
            "written and not counted",
        ),
        (
            """
        def write_batch(connection, pairs):
            with closing(connection.cursor()) as cursor:
                write_ranks(cursor, pairs)
            connection.commit()
        """,
            "the checkpoint says 0, and the batch ended with 20",
        ),
        (
            """
        def write_batch(connection, pairs):
            with closing(connection.cursor()) as cursor:
                write_ranks(cursor, pairs)
                cursor.execute("UPDATE checkpoint SET last_id = %s", (pairs[0][0],))
            connection.commit()
        """,
            "the checkpoint says 11, and the batch ended with 20",
        ),
        (
            """
        def write_batch(connection, pairs):
            with closing(connection.cursor()) as cursor:
                for pair in pairs:
                    write_ranks(cursor, [pair])
                    cursor.execute("UPDATE checkpoint SET last_id = %s", (pair[0],))
                    connection.commit()
        """,
            "a part of a batch: 1 of 10 rows have their rank",
        ),
        (
            """
        def write_batch(connection, pairs):
            with closing(connection.cursor()) as cursor:
                write_ranks(cursor, pairs)
                cursor.execute("INSERT INTO checkpoint VALUES (%s)", (pairs[-1][0],))
            connection.commit()
        """,
            "the table checkpoint has 3 rows now, not one",
        ),
        (
            """
        def write_batch(connection, pairs):
            with closing(connection.cursor()) as cursor:
                write_ranks(cursor, pairs)
                cursor.execute("UPDATE checkpoint SET last_id = last_id + %s", (len(pairs) + 1,))
            connection.commit()
        """,
            "the checkpoint says 22",
        ),
    ],
)

ALL = Turn(
    "rank_all",
    right=[
        """
        def rank_all(source, size=1000):
            done = 0
            with closing(seed.connect_to_prodev()) as connection, closing(connection.cursor()) as cursor:
                cursor.execute("SELECT last_id FROM checkpoint")
                (last_id,) = cursor.fetchone()
                for rows in read_batches(cursor, last_id, size):
                    write_batch(connection, look_up(rows, source))
                    done += len(rows)
            return done
        """,
        """
        def rank_all(source, size=1000):
            connection = seed.connect_to_prodev()
            try:
                cursor = connection.cursor()
                cursor.execute("SELECT last_id FROM checkpoint")
                last_id = cursor.fetchall()[0][0]
                counts = []
                for rows in read_batches(cursor, last_id, size):
                    pairs = look_up(rows, source)
                    write_batch(connection, pairs)
                    counts.append(len(pairs))
                return sum(counts)
            finally:
                connection.close()
        """,
        """
        def rank_all(source, size=1000):
            with closing(seed.connect_to_prodev()) as reader, closing(seed.connect_to_prodev()) as writer:
                reader.autocommit = True
                cursor = reader.cursor()
                cursor.execute("SELECT last_id FROM checkpoint")
                start = cursor.fetchone()[0]
                return sum(write_batch(writer, look_up(rows, source)) or len(rows) for rows in read_batches(cursor, start, size))
        """,
    ],
    wrong=[
        (
            """
        def rank_all(source, size=1000):
            done = 0
            with closing(seed.connect_to_prodev()) as connection, closing(connection.cursor()) as cursor:
                for rows in read_batches(cursor, 0, size):
                    write_batch(connection, look_up(rows, source))
                    done += len(rows)
            return done
        """,
            "with the checkpoint at 30, what it looked up",
        ),
        (
            """
        def rank_all(source, size=1000):
            with closing(seed.connect_to_prodev()) as connection, closing(connection.cursor()) as cursor:
                cursor.execute("SELECT last_id FROM checkpoint")
                (last_id,) = cursor.fetchone()
                for rows in read_batches(cursor, last_id, size):
                    write_batch(connection, look_up(rows, source))
        """,
            "it returned None: is a return missing?",
        ),
        (
            """
        def rank_all(source, size=1000):
            connection = seed.connect_to_prodev()
            cursor = connection.cursor()
            cursor.execute("SELECT last_id FROM checkpoint")
            (last_id,) = cursor.fetchone()
            rank_all.connection = connection  # kept
            done = 0
            for rows in read_batches(cursor, last_id, size):
                write_batch(connection, look_up(rows, source))
                done += len(rows)
            return done
        """,
            "its connection is still open",
        ),
        (
            """
        def rank_all(source, size=1000):
            with closing(seed.connect_to_prodev()) as connection, closing(connection.cursor()) as cursor:
                cursor.execute("SELECT last_id FROM checkpoint")
                (last_id,) = cursor.fetchone()
                rows = [row for batch in read_batches(cursor, last_id, size) for row in batch]
                if rows:
                    write_batch(connection, look_up(rows, source))
                return len(rows)
        """,
            "commits for 6 batches",
        ),
        (
            """
        def rank_all(source, size=1000):
            with closing(seed.connect_to_prodev()) as connection, closing(connection.cursor()) as cursor:
                cursor.execute("SELECT last_id FROM checkpoint")
                (last_id,) = cursor.fetchone()
                for rows in read_batches(cursor, last_id, size):
                    write_batch(connection, look_up(rows, source))
                    return len(rows)
        """,
            "45 of 55 rows have no rank, the first of them with id 11",
        ),
        (
            """
        def rank_all(source, size=1000):
            done = 0
            with closing(seed.connect_to_prodev()) as connection, closing(connection.cursor()) as cursor:
                cursor.execute("SELECT last_id FROM checkpoint")
                (last_id,) = cursor.fetchone()
                for rows in read_batches(cursor, last_id, size):
                    write_ranks(cursor, look_up(rows, source))
                    done += len(rows)
            return done
        """,
            "55 of 55 rows have no rank",
        ),
        (
            """
        def rank_all(source, size=1000):
            done = 0
            with closing(seed.connect_to_prodev()) as connection, closing(connection.cursor()) as cursor:
                cursor.execute("SELECT last_id FROM checkpoint")
                (last_id,) = cursor.fetchone()
                try:
                    for rows in read_batches(cursor, last_id, size):
                        write_batch(connection, look_up(rows, source))
                        done += len(rows)
                except Exception:
                    pass
            return done
        """,
            "the connection was lost, and it ended without an error",
        ),
        (
            """
        def rank_all(source, size=1000):
            done = 0
            with closing(seed.connect_to_prodev()) as connection, closing(connection.cursor()) as cursor:
                cursor.execute("SELECT last_id FROM checkpoint")
                (last_id,) = cursor.fetchone()
                for rows in read_batches(cursor, last_id, size):
                    write_batch(connection, look_up(rows, source))
                    done += 1
            return done
        """,
            "for 55 rows it gave 6, not 55",
        ),
    ],
)

SOURCE = Turn(
    "source_from",
    right=[
        """
        def source_from(known):
            def source(domains):
                return [known.get(domain) for domain in domains]

            return source
        """,
        """
        def source_from(known):
            def source(domains):
                ranks = []
                for domain in domains:
                    if domain in known:
                        ranks.append(known[domain])
                    else:
                        ranks.append(None)
                return ranks

            return source
        """,
        """
        def source_from(known):
            return lambda domains: list(map(known.get, domains))
        """,
    ],
    wrong=[
        (
            """
        def source_from(known):
            def source(domains):
                return [known[domain] for domain in domains if domain in known]

            return source
        """,
            "for new, a, other and b it gave [7, 2]",
        ),
        (
            """
        def source_from(known):
            def source(domains):
                return [known[domain] for domain in domains]

            return source
        """,
            "KeyError",
        ),
        (
            """
        def source_from(known):
            def source(domains):
                return [known.get(domain, 0) for domain in domains]

            return source
        """,
            "for new, a, other and b it gave [0, 7, 0, 2]",
        ),
        (
            """
        def source_from(known):
            def source(domains):
                return [known.setdefault(domain) for domain in domains]

            return source
        """,
            "has changed the dict",
        ),
        (
            """
        def source_from(known):
            def source(domains):
                return {domain: known.get(domain) for domain in domains}

            return source
        """,
            "not [2, 7, 2]",
        ),
        (
            """
        def source_from(known):
            def source(domains):
                for domain in domains:
                    yield known.get(domain)

            return source
        """,
            "not [2, 7, 2]",
        ),
        (
            """
        def source_from(known):
            def source(domains):
                return [rank for domain, rank in known.items() if domain in domains]

            return source
        """,
            "not [2, 7, 2]",
        ),
        (
            """
        def source_from(known):
            def source(domains):
                return [known.get(domain) for domain in domains]
        """,
            "NoneType",
        ),
    ],
)

CLEAR = Turn(
    "clear_tests",
    right=[
        """
        def clear_tests(size=1000):
            cleared = 0
            with closing(seed.connect_to_prodev()) as connection, closing(connection.cursor()) as cursor:
                cursor.execute("SELECT last_id FROM checkpoint")
                (last_id,) = cursor.fetchone()
                for rows in read_batches(cursor, last_id, size):
                    last_id = rows[-1][0]
                    pairs = [(number, None) for number, domain in rows if domain.endswith(".test")]
                    if pairs:
                        write_ranks(cursor, pairs)
                    cursor.execute("UPDATE checkpoint SET last_id = %s", (last_id,))
                    connection.commit()
                    cleared += len(pairs)
            return cleared
        """,
        """
        def clear_tests(size=1000):
            cleared = 0
            with closing(seed.connect_to_prodev()) as connection, closing(connection.cursor()) as cursor:
                cursor.execute("SELECT last_id FROM checkpoint")
                for rows in read_batches(cursor, cursor.fetchall()[0][0], size):
                    first, last = rows[0][0], rows[-1][0]
                    cursor.execute(
                        "UPDATE domains SET alexa_rank = NULL WHERE id BETWEEN %s AND %s AND domain LIKE %s",
                        (first, last, "%.test"),
                    )
                    cleared += cursor.rowcount
                    cursor.execute("UPDATE checkpoint SET last_id = %s", (last,))
                    connection.commit()
            return cleared
        """,
        """
        def clear_batch(connection, rows):
            ids = [number for number, domain in rows if domain[-5:] == ".test"]
            with closing(connection.cursor()) as cursor:
                for number in ids:
                    cursor.execute("UPDATE domains SET alexa_rank = NULL WHERE id = %s", (number,))
                cursor.execute("UPDATE checkpoint SET last_id = %s", (rows[-1][0],))
            connection.commit()
            return len(ids)

        def clear_tests(size=1000):
            with closing(seed.connect_to_prodev()) as connection, closing(connection.cursor()) as cursor:
                cursor.execute("SELECT last_id FROM checkpoint")
                (last_id,) = cursor.fetchone()
                return sum(clear_batch(connection, rows) for rows in read_batches(cursor, last_id, size))
        """,
    ],
    wrong=[
        (
            """
        def clear_tests(size=1000):
            done = 0
            with closing(seed.connect_to_prodev()) as connection, closing(connection.cursor()) as cursor:
                cursor.execute("SELECT last_id FROM checkpoint")
                (last_id,) = cursor.fetchone()
                for rows in read_batches(cursor, last_id, size):
                    pairs = [(number, None) for number, domain in rows if domain.endswith(".test")]
                    write_batch(connection, pairs)
                    done += len(pairs)
            return done
        """,
            "IndexError",
        ),
        (
            """
        def clear_tests(size=1000):
            done = 0
            with closing(seed.connect_to_prodev()) as connection, closing(connection.cursor()) as cursor:
                cursor.execute("SELECT last_id FROM checkpoint")
                (last_id,) = cursor.fetchone()
                for rows in read_batches(cursor, last_id, size):
                    pairs = [(number, None) for number, domain in rows if domain.endswith(".test")]
                    if pairs:
                        write_batch(connection, pairs)
                    done += len(pairs)
            return done
        """,
            "the checkpoint of 55 rows gave 52, not 55",
        ),
        (
            """
        def clear_tests(size=1000):
            with closing(seed.connect_to_prodev()) as connection, closing(connection.cursor()) as cursor:
                cursor.execute("UPDATE domains SET alexa_rank = NULL WHERE domain LIKE '%.test'")
                done = cursor.rowcount
                connection.commit()
            return done
        """,
            "the checkpoint of 55 rows",
        ),
        (
            """
        def clear_tests(size=1000):
            done = 0
            with closing(seed.connect_to_prodev()) as connection, closing(connection.cursor()) as cursor:
                cursor.execute("SELECT last_id FROM checkpoint")
                (last_id,) = cursor.fetchone()
                for rows in read_batches(cursor, last_id, size):
                    pairs = [(number, None) for number, domain in rows if ".test" in domain]
                    write_ranks(cursor, pairs)
                    cursor.execute("UPDATE checkpoint SET last_id = %s", (rows[-1][0],))
                    connection.commit()
                    done += len(pairs)
            return done
        """,
            "row 20 is not a name in .test, and has lost its rank",
        ),
        (
            """
        def clear_tests(size=1000):
            done = 0
            with closing(seed.connect_to_prodev()) as connection, closing(connection.cursor()) as cursor:
                cursor.execute("SELECT last_id FROM checkpoint")
                (last_id,) = cursor.fetchone()
                for rows in read_batches(cursor, last_id, size):
                    pairs = [(number, None) for number, domain in rows if domain.endswith(".test")]
                    write_ranks(cursor, pairs)
                    cursor.execute("UPDATE checkpoint SET last_id = %s", (rows[-1][0],))
                    done += len(pairs)
            return done
        """,
            "row 3, a name in .test, still has a rank",
        ),
        (
            """
        def clear_tests(size=1000):
            done = 0
            with closing(seed.connect_to_prodev()) as connection, closing(connection.cursor()) as cursor:
                cursor.execute("SELECT last_id FROM checkpoint")
                (last_id,) = cursor.fetchone()
                for rows in read_batches(cursor, 0, size):
                    pairs = [(number, None) for number, domain in rows if domain.endswith(".test")]
                    write_ranks(cursor, pairs)
                    cursor.execute("UPDATE checkpoint SET last_id = %s", (rows[-1][0],))
                    connection.commit()
                    done += len(pairs)
            return done
        """,
            "after 30, the rows cleared",
        ),
        (
            """
        def clear_tests(size=1000):
            done = 0
            with closing(seed.connect_to_prodev()) as connection, closing(connection.cursor()) as cursor:
                cursor.execute("SELECT last_id FROM checkpoint")
                (last_id,) = cursor.fetchone()
                for rows in read_batches(cursor, last_id, size):
                    pairs = [(number, None) for number, domain in rows if domain.endswith(".test")]
                    write_ranks(cursor, pairs)
                    connection.commit()
                    cursor.execute("UPDATE checkpoint SET last_id = %s", (rows[-1][0],))
                    connection.commit()
                    done += len(pairs)
            return done
        """,
            "it leaves the checkpoint at",
        ),
        (
            """
        def clear_tests(size=1000):
            done = 0
            with closing(seed.connect_to_prodev()) as connection, closing(connection.cursor()) as cursor:
                cursor.execute("SELECT last_id FROM checkpoint")
                (last_id,) = cursor.fetchone()
                for rows in read_batches(cursor, last_id, size):
                    pairs = [(number, None) for number, domain in rows if domain.endswith(".test")]
                    write_ranks(cursor, pairs)
                    cursor.execute("UPDATE checkpoint SET last_id = %s", (rows[-1][0],))
                    connection.commit()
                    done += len(rows)
            return done
        """,
            "for 6 such names it gave 55, not 6",
        ),
        (
            """
        def clear_tests(size=1000):
            done = 0
            with closing(seed.connect_to_prodev()) as connection, closing(connection.cursor()) as cursor:
                cursor.execute("SELECT last_id FROM checkpoint")
                (last_id,) = cursor.fetchone()
                for rows in read_batches(cursor, last_id, size):
                    pairs = [(number, None) for number, domain in rows if domain.endswith(".test")]
                    write_ranks(cursor, pairs)
                    cursor.execute("UPDATE checkpoint SET last_id = %s", (rows[-1][0],))
                    done += len(pairs)
                connection.commit()
            return done
        """,
            "until then, nothing of it would be left",
        ),
    ],
)

SIZE = Turn(
    "next_size",
    right=[
        """
        def next_size(size, seconds, target):
            if seconds == 0:
                return min(2 * size, 25_000)
            return max(1, min(int(size * target / seconds), 2 * size, 25_000))
        """,
        """
        def next_size(size, seconds, target):
            rate = size / max(seconds, 1e-6)
            wanted = round(rate * target)
            for limit in (2 * size, 25_000):
                if wanted > limit:
                    wanted = limit
            return wanted or 1
        """,
        """
        def next_size(size, seconds, target):
            try:
                factor = min(target / seconds, 2)
            except ZeroDivisionError:
                factor = 2
            return sorted([1, int(size * factor), 25_000])[1]
        """,
    ],
    wrong=[
        (
            """
        def next_size(size, seconds, target):
            return size if seconds == target else size // 2
        """,
            "gave 500, not 250",
        ),
        (
            """
        def next_size(size, seconds, target):
            return max(1, min(int(size * target / seconds), 2 * size, 25_000))
        """,
            "ZeroDivisionError",
        ),
        (
            """
        def next_size(size, seconds, target):
            return max(1, min(int(size * target / max(seconds, 1e-6)), 25_000))
        """,
            "gave 25000, not 2000",
        ),
        (
            """
        def next_size(size, seconds, target):
            return int(min(size * target / max(seconds, 1e-6), 2 * size, 25_000))
        """,
            "next_size(3, 60.0, 0.5) gave 0, not 1",
        ),
        (
            """
        def next_size(size, seconds, target):
            return max(1, min(size * target / max(seconds, 1e-6), 2 * size, 25_000))
        """,
            "a float",
        ),
        (
            """
        def next_size(size, seconds, target):
            return max(1, min(int(size * seconds / target), 2 * size, 25_000))
        """,
            "gave 2000, not 250",
        ),
        (
            """
        def next_size(size, seconds, target):
            return max(1, min(int(size * target / max(seconds, 1e-6)), 2 * size))
        """,
            "gave 40000, not 25000",
        ),
        (
            """
        def next_size(size, seconds, target):
            if seconds > target:
                return max(1, int(size * target / seconds))
            return min(2 * size, 25_000)
        """,
            "gave 2000, not 1000",
        ),
    ],
)

TURNS = [READ, LOOK_UP, WRITE, BATCH, ALL, SOURCE, CLEAR, SIZE]
