"""/system, /healthz, /readyz: the machine and the hub's parts."""

from flask import Response, jsonify, make_response
from flask_restful import Resource

from api.controllers.contract import contract
from api.schemas.system import Alive, Ready, SystemOut
from api.services import system


class SystemResource(Resource):
    @contract("system.read", out=SystemOut)
    def get(self) -> SystemOut:
        """CPU, memory, disk, GPU and the health of each part."""
        return system.overview()


class HealthResource(Resource):
    @contract("public", out=Alive, envelope=False)
    def get(self) -> Alive:
        """200 while the web server answers."""
        return Alive()


class ReadyResource(Resource):
    @contract("public", out=Ready, envelope=False)
    def get(self) -> Response:
        """200 when all parts serve, else 503 with the part that does not."""
        answer = system.ready()
        return make_response(jsonify(answer.model_dump(mode="json")), 200 if answer.status == "ok" else 503)


ROUTES = [
    (SystemResource, "/api/v1/system"),
    (HealthResource, "/healthz"),
    (ReadyResource, "/readyz"),
]
