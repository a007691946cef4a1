export { RolesPage as RolesRoute } from '@/features/roles/roles-page'
