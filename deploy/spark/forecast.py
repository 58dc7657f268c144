"""Forecasts of a table that one machine does not hold: Spark sends each partition through `tradewind forecast --arrow`.

    spark-submit forecast.py --input sales.parquet --output forecast.parquet --id Store,Dept --time Date --target Sales \\
        -- --freq W-FRI --models theta --horizon 13

Everything behind `--` goes to `tradewind forecast` as it is; the frequency has to be among it. The program has to be on the path of every worker
(--program says where it is otherwise).

The rows are divided by series: all rows of a series reach one process, whatever the number of partitions, and its forecast is the
same in whatever company. A task that fails or whose executor is lost is run again by Spark, and its output is committed once.
"""

import argparse
import subprocess
import threading


def forecasts(command):
    """A function for mapInArrow: the batches of a partition through one process."""

    def run(batches):
        import pyarrow as pa

        batches = iter(batches)
        first = next(batches, None)
        if first is None:
            return
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        said, refused = [], []

        def send():
            try:
                with pa.ipc.new_stream(process.stdin, first.schema) as stream:
                    stream.write_batch(first)
                    for batch in batches:
                        if batch.schema != first.schema:
                            raise ValueError(f"the columns change between batches: {first.schema} and then {batch.schema}")
                        stream.write_batch(batch)
                process.stdin.close()
            except BrokenPipeError:
                pass  # The process has ended; its exit status says why.
            except Exception as cause:
                refused.append(cause)
                process.kill()

        def listen():
            said.extend(process.stderr.read().decode(errors="replace").splitlines())

        threads = [threading.Thread(target=work, daemon=True) for work in (send, listen)]
        for thread in threads:
            thread.start()
        try:
            try:
                with pa.ipc.open_stream(process.stdout) as stream:
                    yield from stream
            except pa.ArrowInvalid:
                pass  # What was written is not whole: the exit status tells.
            for thread in threads:
                thread.join()
            status = process.wait()
            if refused:
                raise refused[0]
            if status != 0:
                raise RuntimeError(f"tradewind ended with {status}: {said[-1] if said else 'it said nothing'}")
        finally:
            # Spark stops reading when a task is cancelled.
            process.kill()
            process.wait()

    return run


def schema(frame, keys, time, levels):
    """The columns of the forecast, in the order in which the program writes them: Spark matches them by place."""
    from pyspark.sql import types as t

    whole = (t.ByteType, t.ShortType, t.IntegerType, t.LongType)

    def typed(name):
        kind = frame.schema[name].dataType
        if isinstance(kind, whole):
            return t.LongType()
        return kind if isinstance(kind, (t.DateType, t.TimestampType, t.TimestampNTZType, t.BooleanType)) else t.StringType()

    ends = sorted({0.5, *(round((1 + sign * level) / 2, 6) for level in levels for sign in (-1, 1))})
    fields = [(name, typed(name)) for name in [*keys, time]]
    fields += [("model", t.StringType()), ("form", t.StringType()), ("mean", t.DoubleType())]
    fields += [(f"q{end:g}", t.DoubleType()) for end in ends]
    fields += [("failure", t.StringType())]
    return t.StructType([t.StructField(name, kind) for name, kind in fields])


def forecast(frame, keys, time, target, arguments=(), *, program="tradewind", covariates=(), levels=(0.8, 0.95), partitions=None):
    """The forecast of a Spark frame, as another one."""
    arguments = list(arguments)
    if not any(one == "--freq" or one.startswith("--freq=") for one in arguments):
        raise ValueError("state the frequency of the data: --freq MS")
    command = [program, "forecast", "--arrow", "--id", ",".join(keys), "--time", time, "--target", target]
    command += ["--levels", ",".join(str(level) for level in levels), *arguments]
    frame = frame.select(*[f"`{name}`" for name in [*keys, time, target, *covariates]])
    wanted = schema(frame, keys, time, levels)
    by = [f"`{name}`" for name in keys]
    divided = frame.repartition(partitions, *by) if partitions else frame.repartition(*by)
    return divided.mapInArrow(forecasts(command), wanted)


def main():
    parser = argparse.ArgumentParser(description="Forecast a table with Spark and tradewind")
    parser.add_argument("--input", required=True, help="Parquet, as Spark reads it")
    parser.add_argument("--output", required=True, help="folder for the forecast, as Parquet; replaced when all is done")
    parser.add_argument("--id", required=True, help="key columns, separated by commas")
    parser.add_argument("--time", required=True)
    parser.add_argument("--target", required=True)
    parser.add_argument("--covariates", default="", help="other columns that the arguments name as known, observed or fixed")
    parser.add_argument("--levels", default="0.8,0.95", help="interval levels")
    parser.add_argument("--partitions", type=int, help="processes to divide the series among; two to four for each core")
    parser.add_argument("--program", default="tradewind", help="where the program is on the workers")
    parser.add_argument("arguments", nargs="*", help="what follows -- goes to tradewind forecast")
    given = parser.parse_args()

    from pyspark.sql import SparkSession

    spark = SparkSession.builder.appName("tradewind").getOrCreate()
    names = [name for name in given.covariates.split(",") if name]
    levels = [float(level) for level in given.levels.split(",")]
    frame = spark.read.parquet(given.input)
    forecast(
        frame, given.id.split(","), given.time, given.target, given.arguments,
        program=given.program, covariates=names, levels=levels, partitions=given.partitions,
    ).write.mode("overwrite").parquet(given.output)
    spark.stop()


if __name__ == "__main__":
    main()
