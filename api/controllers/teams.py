"""/teams: groups of users that share models, downloads and deployments."""

from flask_restful import Resource

from api.controllers.contract import contract
from api.schemas.access import MemberRequest, TeamChange, TeamOut, TeamRequest
from api.schemas.base import Empty, Page, PageQuery
from api.security.authorise import current
from api.services import teams


class TeamsResource(Resource):
    @contract("signed_in", query=PageQuery, out=Page[TeamOut])
    def get(self, query: PageQuery) -> Page[TeamOut]:
        """The teams one is in; all of them with `teams.manage` or `all.read`."""
        return teams.list_teams(query, current())

    @contract("teams.manage", body=TeamRequest, out=TeamOut, status=201, errors=(409,), message="Made.")
    def post(self, body: TeamRequest) -> TeamOut:
        """Make a team, with nobody in it yet."""
        return teams.create(body)


class TeamResource(Resource):
    @contract("signed_in", out=TeamOut)
    def get(self, team_id: str) -> TeamOut:
        """One team and its members."""
        return teams.get(team_id, current())

    @contract("signed_in", body=TeamChange, out=TeamOut, errors=(409,), message="Changed.")
    def patch(self, team_id: str, body: TeamChange) -> TeamOut:
        """Rename or describe a team: `teams.manage`, or the description by one of its managers."""
        return teams.change(team_id, body, current())

    @contract("teams.manage", out=Empty, message="Deleted.")
    def delete(self, team_id: str) -> None:
        """Delete a team; what was shared with it becomes private to its owners."""
        teams.delete(team_id)


class MemberResource(Resource):
    @contract("signed_in", body=MemberRequest, out=TeamOut, message="Changed.")
    def put(self, team_id: str, user_id: str, body: MemberRequest) -> TeamOut:
        """Add a user, by id or e-mail: `teams.manage`, or one of the team's managers."""
        return teams.put_member(team_id, user_id, body, current())

    @contract("signed_in", out=TeamOut, message="Removed.")
    def delete(self, team_id: str, user_id: str) -> TeamOut:
        """Remove a user; it acts at once."""
        return teams.remove_member(team_id, user_id, current())


ROUTES = [
    (TeamsResource, "/api/v1/teams"),
    (TeamResource, "/api/v1/teams/<team_id>"),
    (MemberResource, "/api/v1/teams/<team_id>/members/<user_id>"),
]
