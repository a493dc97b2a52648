"""Calls of a method of a native Ray actor: microseconds for each, one after the other and 64 at once."""

import json
import sys
import time
from typing import Any

import ray


class Numbers:
    def double(self, n: int) -> int:
        return 2 * n


def one(actor: Any, calls: int) -> float:
    begun = time.perf_counter()
    for n in range(calls):
        assert ray.get(actor.double.remote(n)) == 2 * n
    return (time.perf_counter() - begun) / calls * 1e6


def many(actor: Any, calls: int) -> float:
    begun = time.perf_counter()
    in_flight = [actor.double.remote(n) for n in range(64)]
    for n in range(64, calls):
        done, in_flight = ray.wait(in_flight, num_returns=1)
        ray.get(done)
        in_flight.append(actor.double.remote(n))
    ray.get(in_flight)
    return (time.perf_counter() - begun) / calls * 1e6


def main() -> None:
    ray.init(address="auto", log_to_driver=False)
    actor: Any = ray.remote(Numbers).options(num_cpus=0).remote()
    one(actor, 500)
    many(actor, 2_000)
    json.dump({"one": one(actor, 2_000), "many": many(actor, 10_000)}, sys.stdout)


if __name__ == "__main__":
    main()
