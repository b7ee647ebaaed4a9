"""Where the steps of a run are executed: in the run's own process, or each as a job of a Ray cluster."""

from collections.abc import Iterator

import dagster as dg
from dagster._core.execution.context.system import PlanOrchestrationContext
from dagster._core.execution.plan.plan import ExecutionPlan
from dagster._core.execution.retries import RetryMode
from dagster._core.executor.in_process import InProcessExecutor

from pmc_assets.resources.live_runs import process_tag


class LiveInProcessExecutor(InProcessExecutor):
    """Dagster's in-process executor; the run is tagged with its process, so that it can be seen to have died."""

    def execute(
        self, plan_context: PlanOrchestrationContext, execution_plan: ExecutionPlan
    ) -> Iterator[dg.DagsterEvent]:
        plan_context.instance.add_run_tags(plan_context.run_id, process_tag(plan_context.instance))
        yield from super().execute(plan_context, execution_plan)


@dg.executor(name="in_process")
def live_in_process_executor(_: dg.InitExecutorContext) -> dg.Executor:
    return LiveInProcessExecutor(retries=RetryMode.ENABLED)


def choose_executor(ray_address: str = "") -> dg.ExecutorDefinition:
    """Give the executor of every run. `ray_address` is Ray's job API, e.g. http://127.0.0.1:8265; "" is this process.

    A run is one cell and a step takes seconds, so a process for each would cost more than it saves: runs are what is
    parallel. Through Ray a step gets what its `dagster-ray/config` tag asks for (CPUs, GPUs, memory).
    """
    if not ray_address:
        return live_in_process_executor
    from dagster_ray import ray_executor

    return ray_executor.configured({"ray": {"address": ray_address}})
