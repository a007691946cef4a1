export { TeamsPage as TeamsRoute } from '@/features/teams/teams-page'
