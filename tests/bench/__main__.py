"""Benches by the id of their target: `python -m tests.bench E1 [options]`. Both sides run, and the ratio is printed."""

import runpy
import sys

BENCHES = {
    "B1": ("tests.bench.tenants_restore", "one tenant to a moment, against pgBackRest's own ways"),
    "B2": ("tests.bench.tenants_restore", "tenants whose restore is proven in a day"),
    "D1": ("tests.bench.database_failover", "the leader dies: time without writes, stock, tuned and fenced"),
    "D2": ("tests.bench.database_planned", "PostgreSQL crashes, and a planned switchover"),
    "D3": ("tests.bench.database_faults", "random faults of a cell, nothing lost"),
    "E1": ("tests.bench.engine_speed", "time of the engine against the CLI's"),
    "E3": ("tests.bench.engine_chaos", "random kills of the engine, nothing lost"),
    "EDGE": ("tests.bench.edge_certificates", "a join and a revocation at an edge with the country's certificates"),
    "CELL": ("tests.bench.tenants_curve", "how a cell grows with its databases"),
    "N1": ("tests.bench.tenants_noise", "neighbours of a saturating tenant, with caps and without"),
    "SLOW": ("tests.bench.edge_slow_bodies", "slow bodies of many addresses at one municipality, and the others"),
    "SYS": ("tests.bench.systems_load", "requests a second, latency, memory and start of each system"),
    "T1": ("tests.bench.tenants_join", "one municipality from nothing to open, and again"),
    "T2": ("tests.bench.tenants_country", "the whole country registered and rendered"),
    "I1": ("tests.bench.tenants_isolation", "every tenant against every other, from the running catalogues"),
    "I2": ("tests.bench.tenants_isolation", "leaks planted in a running cell, all found"),
}
OPTIONS = {"B2": ["--drill"], "I2": ["--leaks"]}  # of a target that shares its module

if __name__ == "__main__":
    if len(sys.argv) < 2 or sys.argv[1] not in BENCHES:
        listing = "\n".join(f"  {name}  {title}" for name, (_, title) in BENCHES.items())
        sys.exit(f"wanted the id of a target:\n{listing}")
    target = sys.argv.pop(1)
    module, _ = BENCHES[target]
    sys.argv += OPTIONS.get(target, [])
    runpy.run_module(module, run_name="__main__")
