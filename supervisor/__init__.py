"""The parent process of the hub: starts the parts in order, keeps them alive, stops them all.

Standard library only (psutil where /proc has to be asked), so that it stays small beside what it watches.
`python -m supervisor` is what `modelhub up` becomes.
"""
