export { JobsPage as JobsRoute } from '@/features/jobs/jobs-page'
