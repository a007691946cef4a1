import { CloudDownloadOutlined, CloudUploadOutlined } from '@ant-design/icons'
import { Button, Popconfirm } from 'antd'
import { useTranslation } from 'react-i18next'

import { ErrorNote } from '@/components/error-note'
import type { Model } from '@/types'

import { useOffloadModelMutation, useRestoreModelMutation } from './api'

/** Off this disk and back, for models the object storage has. */
export function Offload({ model }: { model: Model }) {
  const { t } = useTranslation()
  const [offload, leaving] = useOffloadModelMutation()
  const [restore, coming] = useRestoreModelMutation()
  const error = leaving.error ?? coming.error
  if (model.location !== 'local') return null
  return (
    <>
      {model.offloaded ? (
        <Button
          icon={<CloudDownloadOutlined />}
          loading={coming.isLoading}
          disabled={coming.isSuccess}
          onClick={() => void restore(model.id)}
        >
          {t(coming.isSuccess ? 'library.restoring' : 'library.restore')}
        </Button>
      ) : (
        <Popconfirm title={t('library.offloadAsk')} okText={t('library.offload')} onConfirm={() => void offload(model.id)}>
          <Button icon={<CloudUploadOutlined />} loading={leaving.isLoading}>{t('library.offload')}</Button>
        </Popconfirm>
      )}
      {error && <ErrorNote error={error} />}
    </>
  )
}
