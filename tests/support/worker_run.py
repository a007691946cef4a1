"""`python -m tests.support.worker_run HOME ENDPOINT JOB`: a worker that does one download and ends.

Prints what there is then: the job's state, models, versions with their files, and what lies in `incoming`.
A lease that a killed one left has run out.
"""

import json
import sys
from pathlib import Path

from sqlalchemy import select, update

from api import create_app
from api.config import Settings
from api.extensions import db, settings
from api.models import HubModel, Job, ModelVersion
from api.services import fetching, jobs
from tests.support.downloads import content


def chosen(home: Path, endpoint: str) -> Settings:
    """The settings of a hub that is alone: no Redis, no folders of this machine's user."""
    return Settings(  # type: ignore[call-arg]
        MODELHUB_HOME=home,
        MODELHUB_ADMIN_PASSWORD="correct horse",
        MODELHUB_FOLDERS=[],
        HF_ENDPOINT=endpoint,
        REDIS_URL=f"unix://{home / 'no-redis.sock'}?db=0",
        _env_file=None,
    )


def main() -> None:
    home, endpoint, job_id = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
    jobs.ring = lambda *_: None  # type: ignore[assignment]
    with create_app(chosen(home, endpoint), serves=False).app_context():
        db.session.execute(update(Job).where(Job.state == "running").values(lease_until=0))
        db.session.commit()
        fetching.run(job_id)
        db.session.expire_all()
        versions = db.session.scalars(select(ModelVersion)).all()
        state = {
            "job": db.session.get_one(Job, job_id).state,
            "models": len(db.session.scalars(select(HubModel)).all()),
            "versions": [content(settings().models_dir / version.id) for version in versions],
            "shelves": len(list(settings().models_dir.iterdir())),
            "incoming": [entry.name for entry in settings().incoming_dir.iterdir()],
        }
    print(json.dumps(state))


if __name__ == "__main__":
    main()
