"""/permissions and /roles."""

from flask_restful import Resource

from api.controllers.contract import contract
from api.schemas.access import PermissionList, RoleChange, RoleList, RoleOut, RoleRequest
from api.schemas.base import Empty
from api.security.authorise import current
from api.services import roles


class PermissionsResource(Resource):
    @contract("signed_in", out=PermissionList)
    def get(self) -> PermissionList:
        """What roles and API keys can be allowed, with a sentence each."""
        return roles.permissions()


class RolesResource(Resource):
    @contract("users.read", out=RoleList)
    def get(self) -> RoleList:
        """All roles, and how many users hold each."""
        return roles.list_roles()

    @contract("roles.manage", body=RoleRequest, out=RoleOut, status=201, errors=(409,), message="Made.")
    def post(self, body: RoleRequest) -> RoleOut:
        """Make a role, of permissions one holds oneself."""
        return roles.create(body, current())


class RoleResource(Resource):
    @contract("users.read", out=RoleOut)
    def get(self, name: str) -> RoleOut:
        """One role."""
        return roles.get(name)

    @contract("roles.manage", body=RoleChange, out=RoleOut, errors=(409,), message="Changed.")
    def patch(self, name: str, body: RoleChange) -> RoleOut:
        """Change a role; it counts at once for everybody who holds it."""
        return roles.change(name, body, current())

    @contract("roles.manage", out=Empty, errors=(409,), message="Deleted.")
    def delete(self, name: str) -> None:
        """Delete a role that nobody holds."""
        roles.delete(name, current())


ROUTES = [
    (PermissionsResource, "/api/v1/permissions"),
    (RolesResource, "/api/v1/roles"),
    (RoleResource, "/api/v1/roles/<name>"),
]
