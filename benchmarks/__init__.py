"""How fast the service answers, measured against an application that decides nothing.

`python -m benchmarks` compares server processes; `python -m benchmarks.breakdown` says which part
of one answer costs what. Everything runs on this machine, on the loopback interface, with
invented patients.
"""
