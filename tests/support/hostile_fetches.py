"""`python -m tests.support.hostile_fetches SPECS.json`: the fetching program, plan after plan in one process.

SPECS: a list of the specs of `integrations.sources.fetch`, of which the first is harmless. A look at
`/begin-hostile` marks, for whoever traces this process, the moment after it. Prints how each ended.
"""

import json
import os
import sys
import threading

from integrations.child_events import EventWriter
from integrations.errors import IntegrationError
from integrations.sources.fetch import program


def main() -> None:
    with open(sys.argv[1], encoding="utf-8") as file:
        specs = json.load(file)
    ends = []
    for number, spec in enumerate(specs):
        if number == 1:
            os.access("/begin-hostile", os.F_OK)
        try:
            program(spec, EventWriter(spec["events"]), threading.Event())
            ends.append("FETCHED")
        except IntegrationError as error:
            ends.append(error.code)
    os.access("/end-hostile", os.F_OK)
    print(json.dumps(ends))


main()
