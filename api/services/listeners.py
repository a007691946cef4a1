"""Which service follows which kind of job. Imported once, by `create_app`."""

from api.services import deployments, downloads, generations, intake, jobs, room, transfers

jobs.on_change("download", downloads.job_changed)
jobs.on_change("mirror", downloads.job_changed)  # a download too, which somebody waits for
jobs.on_change("deploy", deployments.job_changed)
jobs.on_change("generation", generations.job_changed)

jobs.AT_ONCE["download"] = transfers.at_once
jobs.admit("download", transfers.admission)
jobs.admit("download", intake.admission)
jobs.admit("download", room.admission)
jobs.on_claim("download", room.take)
jobs.admit("mirror", intake.admission)
jobs.admit("mirror", room.admission)
jobs.on_claim("mirror", room.take)
