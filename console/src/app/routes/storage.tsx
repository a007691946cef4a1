export { StoragePage as StorageRoute } from '@/features/storage/storage-page'
