"""Which service follows which kind of job. Imported once, by `create_app`."""

from api.services import deployments, downloads, generations, jobs

jobs.on_change("download", downloads.job_changed)
jobs.on_change("deploy", deployments.job_changed)
jobs.on_change("generation", generations.job_changed)
