"""Programs that benchmarks start in processes of their own.

Those that also measure the older package run with Python 3.10 and its versions of everything too.
"""
