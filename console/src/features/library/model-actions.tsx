import { CloudServerOutlined } from '@ant-design/icons'
import { Button } from 'antd'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'

import { ShareButton } from '@/components/sharing/share-button'
import { useMay, useMayChange } from '@/lib/hooks'
import type { Model } from '@/types'

import { useShareModelMutation } from './api'
import { DeleteModel } from './delete-model'
import { EditModel } from './edit-model'
import { UseDrawer } from './use-drawer'

interface Props {
  model: Model
  onDeploy: (model: Model) => void
  onDeleted?: () => void
}

/** What one's role, and whose it is, let one do with a model. */
export function ModelActions({ model, onDeploy, onDeleted }: Props) {
  const { t } = useTranslation()
  const mayDeploy = useMay('deployments.write')
  const mayWrite = useMay('models.write')
  const mayChange = useMayChange(model)
  const [using, setUsing] = useState(false)
  const [share, sharing] = useShareModelMutation()
  return (
    <>
      {mayDeploy && (
        <Button
          type="primary"
          icon={<CloudServerOutlined />}
          aria-label={t('library.deployName', { name: model.name })}
          disabled={model.status !== 'ready'}
          onClick={() => onDeploy(model)}
        >
          {t('library.deploy')}
        </Button>
      )}
      {model.hub_ref && <Button onClick={() => setUsing(true)}>{t('library.useWith.button')}</Button>}
      {using && model.hub_ref && <UseDrawer hubRef={model.hub_ref} onClose={() => setUsing(false)} />}
      {mayWrite && (
        <ShareButton
          thing={model}
          onShare={(chosen) => share({ id: model.id, ...chosen })}
          busy={sharing.isLoading}
          error={sharing.error}
          onClosed={sharing.reset}
        />
      )}
      {mayWrite && mayChange && <EditModel model={model} />}
      {mayWrite && mayChange && <DeleteModel model={model} onDeleted={onDeleted} />}
    </>
  )
}
