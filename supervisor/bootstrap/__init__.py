"""From a fresh clone to something that runs: virtual environment, pinned packages, console.

`python3 -m supervisor.bootstrap STEP…` is called by the Makefile, with the standard library only;
a step whose inputs did not change costs a hash.
"""
