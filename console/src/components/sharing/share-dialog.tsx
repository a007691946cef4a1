import { Modal, Typography } from 'antd'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'

import { ErrorNote } from '@/components/error-note'
import type { Owned } from '@/lib/permissions'
import type { Sharing } from '@/types'

import { VisibilityPicker } from './visibility-picker'

export interface ShareProps {
  thing: Owned & { name: string }
  onShare: (sharing: Sharing) => Promise<{ error?: unknown }>
  busy: boolean
  error: unknown
}

export function ShareDialog({ thing, onShare, busy, error, onClose }: ShareProps & { onClose: () => void }) {
  const { t } = useTranslation()
  const [sharing, setSharing] = useState<Sharing>({ visibility: thing.visibility, team_id: thing.team_id })
  const save = async () => {
    const answer = await onShare(sharing)
    if (!answer.error) onClose()
  }
  return (
    <Modal
      open
      title={t('sharing.shareName', { name: thing.name })}
      okText={t('actions.save')}
      okButtonProps={{ loading: busy }}
      onOk={() => void save()}
      onCancel={onClose}
    >
      <VisibilityPicker className="wide" required current={thing.visibility} value={sharing} onChange={(chosen) => chosen && setSharing(chosen)} />
      <Typography.Paragraph type="secondary" className="share-hint">{t(`sharing.${sharing.visibility}Means`)}</Typography.Paragraph>
      {Boolean(error) && <ErrorNote error={error} />}
    </Modal>
  )
}
