"""Benchmarks: ratios taken in one run against real peers. The test suite asserts no figure of theirs."""
