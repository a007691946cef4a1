import { DeleteOutlined } from '@ant-design/icons'
import { Button, Modal, Typography } from 'antd'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'

import { ErrorNote } from '@/components/error-note'
import { bytes } from '@/lib/format'
import type { Model } from '@/types'

import { useDeleteModelMutation } from './api'

/** Asks first; when the hub refuses (something still needs the model) the reason stands in the dialog. */
export function DeleteModel({ model, onDeleted }: { model: Model; onDeleted?: () => void }) {
  const { t } = useTranslation()
  const [open, setOpen] = useState(false)
  const [remove, { isLoading, error, reset }] = useDeleteModelMutation()

  const confirm = async () => {
    const answer = await remove(model.id)
    if (answer.error) return
    setOpen(false)
    onDeleted?.()
  }
  const close = () => {
    setOpen(false)
    reset()
  }
  return (
    <>
      <Button
        type="text"
        danger
        icon={<DeleteOutlined />}
        aria-label={t('library.deleteName', { name: model.name })}
        onClick={() => setOpen(true)}
      />
      <Modal
        open={open}
        title={t('library.deleteAsk', { name: model.name })}
        okText={t('library.delete')}
        okButtonProps={{ danger: true, loading: isLoading }}
        onOk={() => void confirm()}
        onCancel={close}
      >
        <Typography.Paragraph>{t('library.deleteHint', { size: bytes(model.size) })}</Typography.Paragraph>
        {error && <ErrorNote error={error} />}
      </Modal>
    </>
  )
}
