"""/runtimes, /deployments: models answering."""

from flask_restful import Resource

from api.controllers.contract import contract
from api.schemas.base import Empty, Page, Sharing
from api.schemas.deployments import (
    DeploymentOut,
    DeploymentQuery,
    DeploymentRequest,
    LogPage,
    LogQuery,
    RuntimeList,
)
from api.security.authorise import current
from api.services import deployments


class RuntimesResource(Resource):
    @contract("deployments.read", out=RuntimeList)
    def get(self) -> RuntimeList:
        """The ways a model can be run, each with the schema of its options."""
        return deployments.runtimes()


class DeploymentsResource(Resource):
    @contract("deployments.read", query=DeploymentQuery, out=Page[DeploymentOut])
    def get(self, query: DeploymentQuery) -> Page[DeploymentOut]:
        """Deployments, newest first."""
        return deployments.list_deployments(query, current())

    @contract(
        "deployments.write",
        body=DeploymentRequest,
        out=DeploymentOut,
        status=202,
        errors=(404, 409),
        message="The deployment is starting.",
    )
    def post(self, body: DeploymentRequest) -> DeploymentOut:
        """Deploy a model under a name."""
        return deployments.request(body, current())


class DeploymentResource(Resource):
    @contract("deployments.read", out=DeploymentOut)
    def get(self, deployment_id: str) -> DeploymentOut:
        """One deployment, live."""
        return deployments.get(deployment_id, current())

    @contract("deployments.write", out=Empty, status=202, errors=(409,))
    def delete(self, deployment_id: str) -> None:
        """Stop and remove a deployment."""
        deployments.delete(deployment_id, current())


class DeploymentSharingResource(Resource):
    @contract("deployments.write", body=Sharing, out=DeploymentOut)
    def put(self, deployment_id: str, body: Sharing) -> DeploymentOut:
        """Say who else sees a deployment and may ask it: nobody, a team, or everybody who can sign in."""
        return deployments.share(deployment_id, body, current())


class StartResource(Resource):
    @contract("deployments.write", out=DeploymentOut, status=202, errors=(409,))
    def post(self, deployment_id: str) -> DeploymentOut:
        """Start a stopped or failed deployment."""
        return deployments.start(deployment_id, current())


class StopResource(Resource):
    @contract("deployments.write", out=DeploymentOut, status=202, errors=(409,))
    def post(self, deployment_id: str) -> DeploymentOut:
        """Stop a deployment; it and its logs stay."""
        return deployments.stop(deployment_id, current())


class RestartResource(Resource):
    @contract("deployments.write", out=DeploymentOut, status=202, errors=(409,))
    def post(self, deployment_id: str) -> DeploymentOut:
        """Stop and start again."""
        return deployments.restart(deployment_id, current())


class LogsResource(Resource):
    @contract("deployments.read", query=LogQuery, out=LogPage)
    def get(self, deployment_id: str, query: LogQuery) -> LogPage:
        """The server's output from a byte offset on."""
        return deployments.logs(deployment_id, query.after, current())


ROUTES = [
    (RuntimesResource, "/api/v1/runtimes"),
    (DeploymentsResource, "/api/v1/deployments"),
    (DeploymentResource, "/api/v1/deployments/<deployment_id>"),
    (DeploymentSharingResource, "/api/v1/deployments/<deployment_id>/sharing"),
    (StartResource, "/api/v1/deployments/<deployment_id>/start"),
    (StopResource, "/api/v1/deployments/<deployment_id>/stop"),
    (RestartResource, "/api/v1/deployments/<deployment_id>/restart"),
    (LogsResource, "/api/v1/deployments/<deployment_id>/logs"),
]
