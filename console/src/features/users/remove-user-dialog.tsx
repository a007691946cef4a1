import { Modal, Typography } from 'antd'
import { useTranslation } from 'react-i18next'

import { ErrorNote } from '@/components/error-note'
import type { User } from '@/types'

import { useRemoveUserMutation } from './api'

/** What goes with a user and what stays is said before it happens. */
export function RemoveUserDialog({ user, onClose }: { user: User; onClose: () => void }) {
  const { t } = useTranslation()
  const [remove, { isLoading, error }] = useRemoveUserMutation()
  const confirm = async () => {
    const answer = await remove(user.id)
    if (!answer.error) onClose()
  }
  return (
    <Modal
      open
      title={t('users.removeAsk', { name: user.name || user.email })}
      okText={t('users.remove')}
      okButtonProps={{ danger: true, loading: isLoading }}
      onOk={() => void confirm()}
      onCancel={onClose}
    >
      <ul className="consequences">
        <li>{t('users.removeGoes')}</li>
        <li>{t('users.removeStays')}</li>
        <li>{t('users.removeLog')}</li>
      </ul>
      {user.active && <Typography.Paragraph type="secondary">{t('users.removeRather')}</Typography.Paragraph>}
      {error && <ErrorNote error={error} />}
    </Modal>
  )
}
