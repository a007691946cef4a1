import { DeleteOutlined } from '@ant-design/icons'
import { Alert, Button, Checkbox, Modal, Skeleton, Typography } from 'antd'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'

import { ErrorNote } from '@/components/error-note'
import { bytes } from '@/lib/format'
import { useMay } from '@/lib/hooks'
import type { Model, ModelImpact } from '@/types'

import { useDeleteModelMutation, useModelImpactQuery } from './api'

/** Asks first; when the hub refuses (something still needs the model) the reason stands in the dialog. */
export function DeleteModel({ model, onDeleted }: { model: Model; onDeleted?: () => void }) {
  const { t } = useTranslation()
  const [open, setOpen] = useState(false)
  const [onServer, setOnServer] = useState(false)
  const mayThere = useMay('ollama.manage')
  const there = model.location === 'ollama'
  const [remove, { isLoading, error, reset }] = useDeleteModelMutation()

  const impact = useModelImpactQuery(model.id, { skip: !open })

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
        okButtonProps={{ danger: true, loading: isLoading, disabled: impact.data?.refused }}
        onOk={() => void confirm()}
        onCancel={close}
      >
        {there && <Typography.Paragraph>{t('ollama.keeps')}</Typography.Paragraph>}
        {there && mayThere && (
          <Checkbox checked={onServer} onChange={(event) => setOnServer(event.target.checked)}>{t('ollama.deleteThere')}</Checkbox>
        )}
        {impact.isError && <ErrorNote error={impact.error} />}
        {impact.isLoading && <Skeleton active paragraph={{ rows: 2 }} />}
        {open && impact.data && (!there || impact.data.refused) && <Impact impact={impact.data} />}
        {error && <ErrorNote error={error} />}
      </Modal>
    </>
  )
}

/** What comes free, what stays since others hold it, and what stands in the way. */
function Impact({ impact }: { impact: ModelImpact }) {
  const { t } = useTranslation()
  const inTheWay = [
    ['deployments', impact.deployments], ['children', impact.children], ['downloads', impact.downloads],
  ] as const
  return (
    <>
      <p>{t('impact.frees', { size: bytes(impact.bytes_freed), count: impact.versions })}</p>
      {impact.bytes_shared > 0 && <p>{t('impact.shared', { size: bytes(impact.bytes_shared) })}</p>}
      {impact.bytes_remote > 0 && <p>{t('impact.remote', { size: bytes(impact.bytes_remote) })}</p>}
      {impact.chat_sessions > 0 && <p>{t('impact.chats', { count: impact.chat_sessions })}</p>}
      {impact.refused && (
        <Alert
          type="warning"
          showIcon
          title={t('impact.refused')}
          description={
            <ul>
              {inTheWay.flatMap(([what, things]) =>
                things.map((thing) => <li key={thing.id}>{t(`impact.${what}`, { name: thing.name })}</li>))}
              {impact.hidden > 0 && <li>{t('impact.hidden', { count: impact.hidden })}</li>}
            </ul>
          }
        />
      )}
      {!impact.refused && <p>{t('impact.final')}</p>}
    </>
  )
}
