import { Input, Modal } from 'antd'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'

import type { Session } from '@/types'

import { useChangeSessionMutation } from './api'

export function RenameDialog({ session, onClose }: { session: Session; onClose: () => void }) {
  const { t } = useTranslation()
  const [title, setTitle] = useState(session.title)
  const [change, { isLoading }] = useChangeSessionMutation()
  const save = async () => {
    const answer = await change({ id: session.id, title: title.trim() })
    if (!answer.error) onClose()
  }
  return (
    <Modal
      open
      title={t('chat.rename')}
      okText={t('actions.save')}
      okButtonProps={{ disabled: title.trim() === '', loading: isLoading }}
      onOk={() => void save()}
      onCancel={onClose}
    >
      <Input
        autoFocus
        aria-label={t('chat.title')}
        maxLength={200}
        value={title}
        onChange={(event) => setTitle(event.target.value)}
        onPressEnter={() => title.trim() && void save()}
      />
    </Modal>
  )
}
