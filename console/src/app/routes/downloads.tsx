export { DownloadsPage as DownloadsRoute } from '@/features/downloads/downloads-page'
