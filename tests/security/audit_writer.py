"""A writer that is killed again and again: `python -m tests.security.audit_writer KILLS SEED`.

The parent loads the application once; each child makes teams and audit entries as fast as it can until the
parent's SIGKILL, at a random moment after its first one, ends it. Settings come from the environment.
"""

import itertools
import os
import random
import signal
import sys
import time

from flask import Flask

from api import create_app
from api.extensions import db
from api.models import Team
from api.security import audit
from api.unit_of_work import unit_of_work


def write_until_killed(app: Flask, begun: int) -> None:
    with app.app_context():
        for number in itertools.count():
            with unit_of_work():
                team = Team(name=f"{os.getpid()}-{number}")
                db.session.add(team)
                db.session.flush()
                audit.note("team.create", team, number=number)
            if number == 0:
                os.write(begun, b"!")


def main(kills: int, seed: int) -> None:
    chance = random.Random(seed)
    app = create_app(serves=False)
    for _ in range(kills):
        begun, tell = os.pipe()
        child = os.fork()  # nothing of the parent is connected yet
        if child == 0:
            try:
                write_until_killed(app, tell)
            finally:
                os._exit(1)
        os.close(tell)
        assert os.read(begun, 1), "the child could not begin"
        os.close(begun)
        time.sleep(chance.uniform(0, 0.03))
        os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        assert os.WIFSIGNALED(status), "the child died of something else"


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
