export { QuarantinePage as QuarantineRoute } from '@/features/quarantine/quarantine-page'
