import { DeleteOutlined } from '@ant-design/icons'
import { Button, Checkbox, Modal, Typography } from 'antd'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'

import { ErrorNote } from '@/components/error-note'
import { bytes } from '@/lib/format'
import { useMay } from '@/lib/hooks'
import type { Model } from '@/types'

import { useDeleteModelMutation } from './api'

/** Asks first; when the hub refuses (something still needs the model) the reason stands in the dialog. */
export function DeleteModel({ model, onDeleted }: { model: Model; onDeleted?: () => void }) {
  const { t } = useTranslation()
  const [open, setOpen] = useState(false)
  const [onServer, setOnServer] = useState(false)
  const mayThere = useMay('ollama.manage')
  const there = model.location === 'ollama'
  const [remove, { isLoading, error, reset }] = useDeleteModelMutation()

  const confirm = async () => {
    const answer = await remove({ id: model.id, onServer })
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
        <Typography.Paragraph>{there ? t('ollama.keeps') : t('library.deleteHint', { size: bytes(model.size) })}</Typography.Paragraph>
        {there && mayThere && (
          <Checkbox checked={onServer} onChange={(event) => setOnServer(event.target.checked)}>{t('ollama.deleteThere')}</Checkbox>
        )}
        {error && <ErrorNote error={error} />}
      </Modal>
    </>
  )
}
