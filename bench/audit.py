"""What an audit entry costs, and how long the proof of a long log takes: `python -m bench.audit [--rows N]`.

A unit of work that changes one row is timed with and without a note, alone on a fresh SQLite database and in
turns, so that a slow disk meets both alike. Then the log is made N rows long and verified.
"""

import argparse
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from api import create_app
from api.config import Settings
from api.extensions import db
from api.models import Team
from api.prepare import prepare
from api.security import audit
from api.services import audit as reading
from api.unit_of_work import unit_of_work


def change(team_id: str, *, noted: bool) -> float:
    """Seconds for one change of one row."""
    start = time.perf_counter()
    with unit_of_work():
        team = db.session.get(Team, team_id)
        assert team
        team.version += 1
        if noted:
            audit.note(
                "team.change", team, before={"version": team.version - 1}, after={"version": team.version}
            )
    return time.perf_counter() - start


def measure(rounds: int, rows: int) -> dict[str, Any]:
    with unit_of_work():
        team = Team(name="bench")
        db.session.add(team)
    for _ in range(20):
        change(team.id, noted=True)
    pairs = [(change(team.id, noted=False), change(team.id, noted=True)) for _ in range(rounds)]
    plain, noted = (statistics.median(column) * 1e6 for column in zip(*pairs, strict=True))
    while rows > 0:
        with unit_of_work():
            for _ in range(min(rows, 1000)):
                audit.note("team.change", team, before={"version": 1}, after={"version": 2})
        rows -= 1000
    start = time.perf_counter()
    verdict = reading.verify()
    seconds = time.perf_counter() - start
    assert verdict.ok, verdict
    return {
        "change_us": round(plain),
        "change_with_note_us": round(noted),
        "note_us": round(noted - plain),
        "verified_rows": verdict.entries,
        "verify_seconds": round(seconds, 2),
        "verify_rows_per_second": round(verdict.entries / seconds),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=500)
    parser.add_argument("--rows", type=int, default=20_000)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        settings = Settings(MODELHUB_HOME=Path(directory), REDIS_URL="unix:///nowhere", _env_file=None)
        app = create_app(settings, serves=False)
        prepare(app)
        with app.app_context():
            for name, value in measure(arguments.rounds, arguments.rows).items():
                print(f"{name:24} {value}")


if __name__ == "__main__":
    main()
