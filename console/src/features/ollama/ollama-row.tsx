import { CopyOutlined, DatabaseOutlined, DeleteOutlined, InfoCircleOutlined } from '@ant-design/icons'
import { Button, Flex, Input, Modal, Popconfirm, Tag } from 'antd'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'

import { ErrorNote } from '@/components/error-note'
import { LinkButton } from '@/components/link-button'
import { paths } from '@/config/paths'
import { bytes } from '@/lib/format'
import { useDates, useMay } from '@/lib/hooks'
import type { OllamaLoaded, OllamaModel } from '@/types'

import { useCopyOllamaModelMutation, useDeleteOllamaModelMutation } from './api'

interface Props {
  model: OllamaModel
  loaded?: OllamaLoaded
  onOpen: () => void
}

export function OllamaRow({ model, loaded, onOpen }: Props) {
  const { t } = useTranslation()
  const dates = useDates()
  const mayManage = useMay('ollama.manage')
  const [remove, removing] = useDeleteOllamaModelMutation()
  const { name } = model
  const facts = [model.family, model.parameter_size, model.quantization].filter(Boolean)
  return (
    <li className="row" aria-label={name}>
      <Flex justify="space-between" gap={12} wrap align="flex-start">
        <div className="row-main">
          <div className="row-title">
            {name}
            {loaded && <Tag color="success">{t('ollama.loaded', { size: bytes(loaded.size) })}</Tag>}
          </div>
          <div className="facts">
            {facts.map((fact) => <span key={fact}>{fact}</span>)}
            <span>{bytes(model.size)}</span>
            {model.modified_at && <span title={dates.moment(model.modified_at)}>{dates.ago(model.modified_at)}</span>}
          </div>
        </div>
        <Flex gap={8} wrap className="row-actions">
          {model.model_id && (
            <LinkButton to={paths.model(model.model_id)} icon={<DatabaseOutlined />}>{t('downloads.open')}</LinkButton>
          )}
          <Button icon={<InfoCircleOutlined />} aria-label={t('ollama.showName', { name })} onClick={onOpen} />
          {mayManage && <CopyModel name={name} />}
          {mayManage && (
            <Popconfirm
              title={t('ollama.deleteAsk', { name })}
              description={model.model_id ? t('ollama.deleteKnown') : undefined}
              okText={t('library.delete')}
              cancelText={t('actions.keep')}
              okButtonProps={{ danger: true }}
              onConfirm={() => void remove(name)}
            >
              <Button danger type="text" icon={<DeleteOutlined />} loading={removing.isLoading} aria-label={t('ollama.deleteName', { name })} />
            </Popconfirm>
          )}
        </Flex>
      </Flex>
      {removing.error && <ErrorNote error={removing.error} />}
    </li>
  )
}

function CopyModel({ name }: { name: string }) {
  const { t } = useTranslation()
  const [open, setOpen] = useState(false)
  const [to, setTo] = useState('')
  const [copy, { isLoading, error, reset }] = useCopyOllamaModelMutation()
  const close = () => {
    setOpen(false)
    setTo('')
    reset()
  }
  const submit = async () => {
    const answer = await copy({ name, to: to.trim() })
    if (!answer.error) close()
  }
  return (
    <>
      <Button icon={<CopyOutlined />} aria-label={t('ollama.copyName', { name })} onClick={() => setOpen(true)} />
      <Modal
        open={open}
        title={t('ollama.copyTitle', { name })}
        okText={t('ollama.copy')}
        okButtonProps={{ disabled: !to.trim(), loading: isLoading }}
        onOk={() => void submit()}
        onCancel={close}
      >
        <Input aria-label={t('ollama.copyTo')} placeholder={t('ollama.copyTo')} value={to} onChange={(event) => setTo(event.target.value)} onPressEnter={() => void submit()} />
        {error && <ErrorNote error={error} />}
      </Modal>
    </>
  )
}
