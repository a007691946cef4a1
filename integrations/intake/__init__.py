"""The gate between proven bytes and the shelf: what a stranger's files are, by parsing, never by loading.

`check` looks at every file of a folder: by its first bytes, not by its name. What could run code (pickles,
programs, archives), or is not what its name says, is to be kept away from every engine (`held`); what is
merely unknown stays, with a warning. `python -m integrations.intake SPEC.json` does it as a child process.
"""

from integrations.intake.check import Checked, check

__all__ = ["Checked", "check"]
