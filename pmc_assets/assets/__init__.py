"""Dagster assets, one module per stage of the lineage; jobs, schedule, sensors, and what a run reports."""
