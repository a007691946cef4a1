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
  return (
    <Modal
      open
      title={t('users.resetName', { name: user.name || user.email })}
      okText={data ? t('actions.done') : t('users.resetMake')}
      okButtonProps={{ loading: isLoading }}
      cancelButtonProps={{ hidden: Boolean(data) }}
      mask={{ closable: !data }}
      onOk={() => (data ? onClose() : void make(user.id))}
      onCancel={onClose}
    >
      {data ? (
        <>
          <SecretOnce text={data.link} title={t('invites.once')} copy={t('invites.copy')} />
          <Typography.Paragraph type="secondary">{t('join.until', { when: dates.moment(data.expires_at) })}</Typography.Paragraph>
        </>
      ) : (
        <Typography.Paragraph>{t('users.resetHint')}</Typography.Paragraph>
      )}
    </Modal>
  )
}
