"""Where the steps of a run are executed: in the run's own process, or each as a job of a Ray cluster."""

import dagster as dg


def choose_executor(ray_address: str = "") -> dg.ExecutorDefinition:
    """Give the executor of every run. `ray_address` is Ray's job API, e.g. http://127.0.0.1:8265; "" is this process.

    A run is one cell and a step takes seconds, so a process for each would cost more than it saves: runs are what is
    parallel. Through Ray a step gets what its `dagster-ray/config` tag asks for (CPUs, GPUs, memory).
    """
    if not ray_address:
        return dg.in_process_executor
    from dagster_ray import ray_executor

    return ray_executor.configured({"ray": {"address": ray_address}})
