"""/jobs: the ledger of long work."""

from flask_restful import Resource

from api.controllers.contract import contract
from api.schemas.base import Page
from api.schemas.jobs import JobOut, JobQuery
from api.security.authorise import current
from api.services import jobs


class JobsResource(Resource):
    @contract("jobs.read", query=JobQuery, out=Page[JobOut])
    def get(self, query: JobQuery) -> Page[JobOut]:
        """Jobs, newest first."""
        return jobs.list_jobs(query, current())


class JobResource(Resource):
    @contract("jobs.read", out=JobOut)
    def get(self, job_id: str) -> JobOut:
        """One job."""
        return jobs.get(job_id, current())


class CancelResource(Resource):
    @contract("jobs.write", out=JobOut, status=202, errors=(409,))
    def post(self, job_id: str) -> JobOut:
        """Cancel a job that has not ended."""
        return jobs.cancel(job_id, current())


class RetryResource(Resource):
    @contract("jobs.write", out=JobOut, status=202, errors=(409,))
    def post(self, job_id: str) -> JobOut:
        """Queue a failed or cancelled job again."""
        return jobs.retry(job_id, current())


ROUTES = [
    (JobsResource, "/api/v1/jobs"),
    (JobResource, "/api/v1/jobs/<job_id>"),
    (CancelResource, "/api/v1/jobs/<job_id>/cancel"),
    (RetryResource, "/api/v1/jobs/<job_id>/retry"),
]
