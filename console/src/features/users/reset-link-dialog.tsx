import { Modal, Typography } from 'antd'
import { useTranslation } from 'react-i18next'

import { SecretOnce } from '@/components/secret-once'
import { useDates } from '@/lib/hooks'
import type { User } from '@/types'

import { useResetLinkMutation } from './api'

/** A link with which a user chooses a new password; passing it on is the administrator's part. */
export function ResetLinkDialog({ user, onClose }: { user: User; onClose: () => void }) {
  const { t } = useTranslation()
  const dates = useDates()
  const [make, { data, isLoading }] = useResetLinkMutation()
  const title = t('users.resetName', { name: user.name || user.email })
  if (data) {
    return (
      <SecretOnce title={title} warning={t('invites.once')} text={data.link} copy={t('invites.copy')} onClose={onClose}>
        {t('join.until', { when: dates.moment(data.expires_at) })}
      </SecretOnce>
    )
  }
  return (
    <Modal
      open
      title={title}
      okText={t('users.resetMake')}
      okButtonProps={{ loading: isLoading }}
      onOk={() => void make(user.id)}
      onCancel={onClose}
    >
      <Typography.Paragraph>{t('users.resetHint')}</Typography.Paragraph>
    </Modal>
  )
}
