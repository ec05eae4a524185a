"""The standard figures of the tasks."""
