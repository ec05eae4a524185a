"""Measurements that the project answers for, as ratios within one run: ``python -m benchmarks.run``."""
