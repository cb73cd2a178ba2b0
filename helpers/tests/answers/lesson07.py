"""Lesson 07: five steps, and two exercises."""

from answers import Turn

CUT = Turn(
    "cut",
    right=[
        """
        def cut(low, high, pieces):
            for number in range(pieces):
                yield low + (high - low) * number // pieces, low + (high - low) * (number + 1) // pieces
        """,
        """
        def cut(low, high, pieces):
            size, rest = divmod(high - low, pieces)
            first = low
            for number in range(pieces):
                last = first + size + (number < rest)
                yield first, last
                first = last
        """,
        """
        from itertools import pairwise

        def cut(low, high, pieces):
            edges = (low + (high - low) * number // pieces for number in range(pieces + 1))
            yield from pairwise(edges)
        """,
        """
        def cut(low, high, pieces):
            return ((low + (high - low) * n // pieces, low + (high - low) * (n + 1) // pieces) for n in range(pieces))
        """,
    ],
    wrong=[
        (
            """
        def cut(low, high, pieces):
            size = (high - low) // pieces
            for number in range(pieces):
                yield low + number * size, low + (number + 1) * size
        """,
            "cut(0, 10, 3) ends before 9, not before 10: key 9 is lost",
        ),
        (
            """
        def cut(low, high, pieces):
            size = (high - low) // pieces
            for number in range(pieces - 1):
                yield low + number * size, low + (number + 1) * size
            yield low + (pieces - 1) * size, high
        """,
            "gave ranges of [2, 2, 2, 5] keys",
        ),
        (
            """
        def cut(low, high, pieces):
            size = (high - low) / pieces
            for number in range(pieces):
                yield int(low + number * size), int(low + (number + 1) * size)
        """,
            "is too many",
        ),
        (
            """
        def cut(low, high, pieces):
            return [(low + (high - low) * n // pieces, low + (high - low) * (n + 1) // pieces) for n in range(pieces)]
        """,
            "it gave a list, which next() does not work on",
        ),
        (
            """
        def cut(low, high, pieces):
            for number in range(pieces):
                yield low + (high - low) * number // pieces, low + (high - low) * (number + 1) // pieces - 1
        """,
            "not [(0, 4), (4, 8), (8, 12)]",
        ),
        (
            """
        def cut(low, high, pieces):
            for number in range(pieces):
                yield (high - low) * number // pieces, (high - low) * (number + 1) // pieces
        """,
            "begins at 0, not at 5",
        ),
        (
            """
        def cut(low, high, pieces):
            for first in range(low, high, (high - low) // pieces):
                yield first, min(first + (high - low) // pieces, high)
        """,
            "cut(0, 10, 3) gave 4 ranges, not 3",
        ),
        (
            """
        def cut(low, high, pieces):
            size = -(-(high - low) // pieces)
            for number in range(pieces):
                yield low + number * size, min(low + (number + 1) * size, high)
        """,
            "keys",
        ),
    ],
)

TASK = Turn(
    "summary_of_range",
    right=[
        """
        QUERY = "SELECT age FROM user_data WHERE user_id >= %s AND user_id < %s"

        def summary_of_range(first, last):
            with streaming(QUERY, (first, last)) as cursor:
                return summary(int(age) for (age,) in cursor)
        """,
        """
        def ages_of(first, last):
            query = "SELECT age FROM user_data WHERE user_id >= %(first)s AND user_id < %(last)s"
            with streaming(query, {"first": first, "last": last}) as cursor:
                for row in cursor:
                    yield int(row[0])

        def summary_of_range(first, last):
            return summary(ages_of(first, last))
        """,
        """
        def summary_of_range(first, last):
            so_far = 0, 0.0, 0.0
            with closing(seed.connect_to_prodev()) as connection, closing(connection.cursor()) as cursor:
                cursor.execute("SELECT age FROM user_data WHERE %s <= user_id AND user_id < %s", (first, last))
                while rows := cursor.fetchmany(1000):
                    so_far = merge(so_far, summary(float(age) for (age,) in rows))
            return so_far
        """,
    ],
    wrong=[
        (
            """
        def summary_of_range(first, last):
            query = "SELECT age FROM user_data WHERE user_id BETWEEN %s AND %s"
            with streaming(query, (first, last)) as cursor:
                return summary(int(age) for (age,) in cursor)
        """,
            "has 5 users, and the count was 6",
        ),
        (
            """
        def summary_of_range(first, last):
            query = "SELECT age FROM user_data WHERE user_id > %s AND user_id < %s"
            with streaming(query, (first, last)) as cursor:
                return summary(int(age) for (age,) in cursor)
        """,
            "has 18 users, and the count was 17",
        ),
        (
            """
        def summary_of_range(first, last):
            with streaming("SELECT user_id, age FROM user_data") as cursor:
                return summary(int(age) for user_id, age in cursor if first <= user_id < last)
        """,
            "23 rows were sent for a range of 18",
        ),
        (
            """
        def summary_of_range(first, last):
            query = "SELECT age FROM user_data WHERE user_id >= %s AND user_id < %s"
            with streaming(query, (first, last)) as cursor:
                return summary([int(age) for (age,) in cursor.fetchall()])
        """,
            "all of them are kept",
        ),
        (
            """
        def summary_of_range(first, last):
            query = "SELECT age FROM user_data WHERE user_id >= %s AND user_id < %s"
            with streaming(query, (first, last)) as cursor:
                summary(int(age) for (age,) in cursor)
        """,
            "is a return missing?",
        ),
        (
            """
        def summary_of_range(first, last):
            query = "SELECT COUNT(*), AVG(age) FROM user_data WHERE user_id >= %s AND user_id < %s"
            with streaming(query, (first, last)) as cursor:
                return cursor.fetchone()
        """,
            "gave 2 items, not (count, mean, squares)",
        ),
        (
            """
        def summary_of_range(first, last):
            query = "SELECT age FROM user_data WHERE user_id >= %s AND user_id < %s"
            with streaming(query, (first, last)) as cursor:
                return [int(age) for (age,) in cursor]
        """,
            "gave 23 items, not (count, mean, squares)",
        ),
        (
            """
        def summary_of_range(first, last):
            summary_of_range.connection = connection = seed.connect_to_prodev()
            cursor = connection.cursor()
            cursor.execute("SELECT age FROM user_data WHERE user_id >= %s AND user_id < %s", (first, last))
            return summary(int(age) for (age,) in cursor)
        """,
            "a connection was still open",
        ),
    ],
)

AS_THEY_COME = Turn(
    "answers",
    step=1,
    right=[
        """
        def answers(client, task, ranges, at_most):
            futures = [client.submit(task, *r, pure=False) for r in ranges]
            for future in as_completed(futures):
                yield future.result()
        """,
        """
        def answers(client, task, ranges, at_most):
            futures = (client.submit(task, first, last, pure=False) for first, last in ranges)
            yield from (future.result() for future in as_completed(futures))
        """,
        """
        def answers(client, task, ranges, at_most):
            done = as_completed([])
            for r in ranges:
                done.add(client.submit(task, *r, pure=False))
            for future in done:
                yield future.result()
        """,
        """
        def answers(client, task, ranges, at_most):
            futures = [client.submit(task, *r, pure=False) for r in ranges]
            for _, answer in as_completed(futures, with_results=True):
                yield answer
        """,
    ],
    wrong=[
        (
            """
        def answers(client, task, ranges, at_most):
            futures = [client.submit(task, *r, pure=False) for r in ranges]
            for future in futures:
                yield future.result()
        """,
            "the first range was slow, and its answer came first all the same",
        ),
        (
            """
        def answers(client, task, ranges, at_most):
            futures = [client.submit(task, *r, pure=False) for r in ranges]
            yield from client.gather(futures)
        """,
            "its answer came first all the same",
        ),
        (
            """
        def answers(client, task, ranges, at_most):
            futures = [client.submit(task, *r, pure=False) for r in ranges]
            for future in as_completed(futures):
                yield future
        """,
            "it gave a Future, not the answer",
        ),
        (
            """
        def answers(client, task, ranges, at_most):
            futures = [client.submit(task, *r, pure=False) for r in ranges]
            for future in as_completed(futures):
                if future.status == "finished":
                    yield future.result()
        """,
            "the task of one range raised LookupError, and nothing came out",
        ),
        (
            """
        def answers(client, task, ranges, at_most):
            futures = [client.submit(task, *r, pure=False) for r in ranges]
            return [future.result() for future in as_completed(futures)]
        """,
            "it gave a list: is a yield missing?",
        ),
        (
            """
        def answers(client, task, ranges, at_most):
            for r in ranges:
                yield client.submit(task, *r, pure=False).result()
        """,
            "its answer came first all the same",
        ),
        (
            """
        def answers(client, task, ranges, at_most):
            futures = [client.submit(task(*r), pure=False) for r in ranges]
            for future in as_completed(futures):
                yield future.result()
        """,
            "TypeError",
        ),
        (
            """
        def answers(client, task, ranges, at_most):
            futures = [client.submit(task, *r, pure=False) for r in ranges]
            for future in as_completed(futures[1:]):
                yield future.result()
        """,
            "11 answers came for 12 ranges",
        ),
    ],
)

FEW = Turn(
    "answers",
    step=2,
    right=[
        """
        def answers(client, task, ranges, at_most):
            ranges = iter(ranges)
            running = as_completed([client.submit(task, *r, pure=False) for r in islice(ranges, at_most)])
            for future in running:
                for r in islice(ranges, 1):
                    running.add(client.submit(task, *r, pure=False))
                yield future.result()
        """,
        """
        def answers(client, task, ranges, at_most):
            ranges = iter(ranges)
            running = as_completed(client.submit(task, *r, pure=False) for r in islice(ranges, at_most))
            for future in running:
                yield future.result()
                r = next(ranges, None)
                if r is not None:
                    running.add(client.submit(task, *r, pure=False))
        """,
        """
        def answers(client, task, ranges, at_most):
            running, unfinished = as_completed([]), 0
            for r in ranges:
                if unfinished == at_most:
                    yield next(running).result()
                    unfinished -= 1
                running.add(client.submit(task, *r, pure=False))
                unfinished += 1
            for future in running:
                yield future.result()
        """,
    ],
    wrong=[
        (
            """
        def answers(client, task, ranges, at_most):
            futures = [client.submit(task, *r, pure=False) for r in ranges]
            for future in as_completed(futures):
                yield future.result()
        """,
            "with at_most=4, 12 tasks were unfinished at one moment",
        ),
        (
            """
        def answers(client, task, ranges, at_most):
            ranges = iter(ranges)
            while some := list(islice(ranges, at_most)):
                for future in as_completed([client.submit(task, *r, pure=False) for r in some]):
                    yield future.result()
        """,
            "3 answers came while the first range was slow, and then it waited for that one",
        ),
        (
            """
        def answers(client, task, ranges, at_most):
            ranges = list(ranges)
            running = as_completed([client.submit(task, *r, pure=False) for r in ranges[:at_most]])
            for number, future in enumerate(running, start=at_most):
                if number < len(ranges):
                    running.add(client.submit(task, *ranges[number], pure=False))
                yield future.result()
        """,
            "it had taken 12 of 12 ranges when the first answer came",
        ),
        (
            """
        def answers(client, task, ranges, at_most):
            ranges = iter(ranges)
            for future in as_completed([client.submit(task, *r, pure=False) for r in islice(ranges, at_most)]):
                yield future.result()
        """,
            "4 answers came for 12 ranges",
        ),
        (
            """
        def answers(client, task, ranges, at_most):
            running = as_completed([client.submit(task, *r, pure=False) for r in islice(ranges, at_most)])
            for future in running:
                running.add(client.submit(task, *next(ranges), pure=False))
                yield future.result()
        """,
            "RuntimeError",
        ),
        (
            """
        def answers(client, task, ranges, at_most):
            ranges = iter(ranges)
            running = as_completed([client.submit(task, *r) for r in islice(ranges, at_most)])
            for future in running:
                for r in islice(ranges, 1):
                    running.add(client.submit(task, *r))
                yield future.result()
        """,
            "the second time, 0 of 3 tasks ran",
        ),
        (
            """
        def answers(client, task, ranges, at_most):
            ranges = iter(ranges)
            running = as_completed([client.submit(task, *r, pure=False) for r in islice(ranges, at_most)])
            for future in running:
                for r in islice(ranges, at_most):
                    running.add(client.submit(task, *r, pure=False))
                yield future.result()
        """,
            "tasks were unfinished at one moment",
        ),
        (
            """
        def answers(client, task, ranges, at_most):
            ranges = iter(ranges)
            running = as_completed([client.submit(task, *r, pure=False) for r in islice(ranges, at_most)])
            for future in running:
                for r in islice(ranges, 1):
                    client.submit(task, *r, pure=False)
                yield future.result()
        """,
            "answers came for 12 ranges",
        ),
    ],
)

MERGED = Turn(
    "merged",
    right=[
        """
        def merged(parts):
            so_far = 0, 0.0, 0.0
            for part in parts:
                so_far = merge(so_far, part)
                yield so_far
        """,
        """
        from itertools import accumulate

        def merged(parts):
            yield from accumulate(parts, merge)
        """,
        """
        def merged(parts):
            so_far = None
            for part in parts:
                so_far = part if so_far is None else merge(part, so_far)
                yield so_far
        """,
    ],
    wrong=[
        (
            """
        def merged(parts):
            so_far = 0, 0.0, 0.0
            for part in parts:
                so_far = merge(so_far, part)
            yield so_far
        """,
            "4 parts gave 1 summaries",
        ),
        (
            """
        def merged(parts):
            so_far = 0, 0.0, 0.0
            for part in parts:
                so_far = merge(so_far, part)
            return so_far
        """,
            "it gave a tuple",
        ),
        (
            """
        def merged(parts):
            count = mean = squares = 0
            for number, part in enumerate(parts, start=1):
                count += part[0]
                mean += (part[1] - mean) / number
                squares += part[2]
                yield count, mean, squares
        """,
            "after 2 parts the mean was",
        ),
        (
            """
        def merged(parts):
            count = total = squares = 0
            for part in parts:
                count += part[0]
                total += part[0] * part[1]
                squares += part[2]
                yield count, total / count, squares
        """,
            "after 2 parts the squares was",
        ),
        (
            """
        def merged(parts):
            parts, so_far = list(parts), (0, 0.0, 0.0)
            for part in parts:
                so_far = merge(so_far, part)
                yield so_far
        """,
            "it had taken 4 parts before the first summary came out",
        ),
        (
            """
        def merged(parts):
            seen, so_far = [], (0, 0.0, 0.0)
            for part in parts:
                seen.append(part)
                so_far = merge(so_far, seen[-1])
                yield so_far
        """,
            "all of them are kept",
        ),
        (
            """
        def merged(parts):
            so_far = 0, 0.0, 0.0
            for part in parts:
                yield so_far
                so_far = merge(so_far, part)
        """,
            "after 1 parts the count was 0, not 3",
        ),
        (
            """
        def merged(parts):
            for part in parts:
                yield part
        """,
            "after 2 parts the count was 2, not 5",
        ),
    ],
)

COUNT = Turn(
    "count_range",
    right=[
        """
        def count_range(first, last):
            return ask("SELECT COUNT(*) FROM domains WHERE id >= %s AND id < %s", first, last)[0][0]
        """,
        """
        def count_range(first, last):
            return ask("SELECT COUNT(*) FROM domains WHERE id BETWEEN %s AND %s - 1", first, last)[0][0]
        """,
        """
        def count_range(first, last):
            ((count,),) = ask("select count(id) from domains where %s <= id and not id >= %s", first, last)
            return count
        """,
    ],
    wrong=[
        (
            """
        def count_range(first, last):
            return ask("SELECT COUNT(*) FROM domains WHERE id BETWEEN %s AND %s", first, last)[0][0]
        """,
            "[251, 251, 251, 250]: 1,003 together",
        ),
        (
            """
        def count_range(first, last):
            return ask("SELECT COUNT(*) FROM domains WHERE id > %s AND id < %s", first, last)[0][0]
        """,
            "[249, 249, 249, 249]: 996 together",
        ),
        (
            """
        def count_range(first, last):
            return ask("SELECT COUNT(*) FROM domains WHERE id > %s AND id <= %s", first, last)[0][0]
        """,
            "999 together",
        ),
        (
            """
        def count_range(first, last):
            return last - first
        """,
            "count_range(5000, 6000) gave 1000, not 0",
        ),
        (
            """
        def count_range(first, last):
            return len(ask("SELECT id FROM domains WHERE id >= %s AND id < %s", first, last))
        """,
            "1,000 rows were sent",
        ),
        (
            """
        def count_range(first, last):
            return ask("SELECT COUNT(*) FROM domains WHERE id >= %s AND id < %s", first, last)
        """,
            "not a number",
        ),
        (
            """
        def count_range(first, last):
            ask("SELECT COUNT(*) FROM domains WHERE id >= %s AND id < %s", first, last)
        """,
            "not a number",
        ),
    ],
)

CHECKED = Turn(
    "checked",
    right=[
        """
        def checked(parts, rows):
            found = 0
            for part in parts:
                found += part[0]
                yield part
            if found != rows:
                raise ValueError(f"{found} of {rows} rows")
        """,
        """
        def checked(parts, rows):
            left = rows
            for count, mean, squares in parts:
                left -= count
                yield count, mean, squares
            if left:
                raise ValueError(f"{left} rows are missing")
        """,
        """
        def checked(parts, rows):
            found = [0]

            def counting(part):
                found[0] += part[0]
                return part

            yield from map(counting, parts)
            if found[0] != rows:
                raise ValueError("not every row came once")
        """,
    ],
    wrong=[
        (
            """
        def checked(parts, rows):
            parts = list(parts)
            if sum(part[0] for part in parts) != rows:
                raise ValueError("rows are missing")
            yield from parts
        """,
            "before the error the number of parts it gave 0, not 2",
        ),
        (
            """
        def checked(parts, rows):
            found = 0
            for part in parts:
                found += part[0]
                yield part
                if found != rows:
                    raise ValueError("rows are missing")
        """,
            "all 7 rows were there, and ValueError was raised",
        ),
        (
            """
        def checked(parts, rows):
            found = 0
            for part in parts:
                found += part[0]
                yield part
            if found < rows:
                raise ValueError("rows are missing")
        """,
            "3 rows came twice, and it raised nothing",
        ),
        (
            """
        def checked(parts, rows):
            found = 0
            for part in parts:
                found += 1
                yield part
            if found != rows:
                raise ValueError("rows are missing")
        """,
            "all 7 rows were there, and ValueError was raised",
        ),
        (
            """
        def checked(parts, rows):
            found = 0
            for part in parts:
                found += part[0]
                yield part
            assert found == rows
        """,
            "3 of 7 rows were missing, and it raised AssertionError",
        ),
        (
            """
        def checked(parts, rows):
            seen = []
            for part in parts:
                seen.append(part)
                yield part
            if sum(part[0] for part in seen) != rows:
                raise ValueError("rows are missing")
        """,
            "all of them are kept",
        ),
        (
            """
        def checked(parts, rows):
            if sum(part[0] for part in parts) != rows:
                raise ValueError("rows are missing")
            return parts
        """,
            "next() does not work on",
        ),
        (
            """
        def checked(parts, rows):
            found = 0
            for part in parts:
                found += part[0]
                yield part
            if found != rows:
                print("rows are missing")
        """,
            "and it raised nothing",
        ),
    ],
)

TURNS = [CUT, TASK, AS_THEY_COME, FEW, MERGED, COUNT, CHECKED]
