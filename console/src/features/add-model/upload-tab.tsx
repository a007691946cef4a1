import { FileAddOutlined, FolderAddOutlined, PauseOutlined, PlayCircleOutlined, UploadOutlined } from '@ant-design/icons'
import { Alert, Button, Flex, Form, Input, Popconfirm, Progress, Typography } from 'antd'
import { type ChangeEvent, useEffect, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'

import { ErrorNote } from '@/components/error-note'
import { VisibilityPicker } from '@/components/sharing/visibility-picker'
import { bytes, percent } from '@/lib/format'
import { useAppStore, useDates } from '@/lib/hooks'
import type { AuthStore } from '@/lib/refresh'
import type { Download, Sharing, Upload } from '@/types'

import {
  useBeginUploadMutation, useCancelUploadMutation, useCompleteUploadMutation, useLazyUploadQuery, useOpenUploadsQuery,
} from './api'
import { type Chosen, nameOf, namesOf, type Sent, sendAll, unfinished, UploadFailed } from './upload'

interface Props {
  onDone: (download: Download) => void
}

/** Files of this machine, sent in pieces. Chosen again after an interruption, they go on where they were. */
export function UploadTab({ onDone }: Props) {
  const { t } = useTranslation()
  const store = useAppStore() as unknown as AuthStore
  const open = useOpenUploadsQuery()
  const [begin, beginning] = useBeginUploadMutation()
  const [look] = useLazyUploadQuery()
  const [complete, completing] = useCompleteUploadMutation()
  const [chosen, setChosen] = useState<Chosen[]>([])
  const [name, setName] = useState('')
  const [sharing, setSharing] = useState<Sharing>()
  const [upload, setUpload] = useState<Upload>()
  const [sent, setSent] = useState<Sent>()
  const [failure, setFailure] = useState<unknown>()
  const running = useRef<AbortController>(null)
  const [moving, setMoving] = useState(false)
  const known = upload ?? unfinished(open.data ?? [], chosen)
  const size = chosen.reduce((sum, { file }) => sum + file.size, 0)

  useEffect(() => () => running.current?.abort(), [])

  const choose = (files: File[]) => {
    if (files.length === 0) return
    setChosen(namesOf(files))
    setName(nameOf(files))
    setUpload(undefined)
    setSent(undefined)
    setFailure(undefined)
  }

  const send = async () => {
    setFailure(undefined)
    const files = chosen.map(({ path, file }) => ({ path, size: file.size }))
    const answer = known ? await look(known.id) : await begin({ name, files, ...sharing })
    if (!answer.data) return setFailure(answer.error)
    setUpload(answer.data)
    const control = new AbortController()
    running.current = control
    setMoving(true)
    try {
      await sendAll({ upload: answer.data, chosen, store, signal: control.signal, onSent: setSent })
      if (control.signal.aborted) return
      const done = await complete(answer.data.id)
      if (done.data) onDone(done.data)
      else setFailure(done.error)
    } catch (reason) {
      setFailure(reason instanceof UploadFailed ? reason.error : reason)
    } finally {
      setMoving(false)
    }
  }

  const share = sent ? percent(sent.done, sent.total) : known ? percent(known.bytes_done, known.size) : 0
  return (
    <Flex vertical gap={16}>
      <Flex gap={8} wrap>
        <Picker label={t('add.files')} icon={<FileAddOutlined />} disabled={moving} onChoose={choose} />
        <Picker label={t('add.folder')} icon={<FolderAddOutlined />} disabled={moving} onChoose={choose} folder />
      </Flex>
      {chosen.length > 0 && (
        <Form layout="vertical" onFinish={() => void send()}>
          <Typography.Paragraph>{t('add.chosen', { count: chosen.length, size: bytes(size) })}</Typography.Paragraph>
          {known && !sent && <Alert type="info" showIcon title={t('add.goesOn', { name: known.name, percent: share })} />}
          {!known && (
            <>
              <Form.Item label={t('add.name')} required htmlFor="upload-name">
                <Input id="upload-name" value={name} maxLength={200} onChange={({ target }) => setName(target.value)} />
              </Form.Item>
              <Form.Item label={t('sharing.who')}>
                <VisibilityPicker value={sharing} onChange={setSharing} />
              </Form.Item>
            </>
          )}
          {sent && (
            <div role="status">
              <Progress aria-label={t('add.sending')} percent={share} status={moving ? 'active' : 'normal'} />
              <Typography.Text type="secondary">
                {sent.waiting ? t('add.waits') : `${bytes(sent.done)} / ${bytes(sent.total)} · ${sent.path}`}
              </Typography.Text>
            </div>
          )}
          <Flex gap={8} className="form-actions">
            {moving
              ? <Button icon={<PauseOutlined />} onClick={() => running.current?.abort()}>{t('downloads.pause')}</Button>
              : (
                <Button
                  type="primary"
                  htmlType="submit"
                  icon={known ? <PlayCircleOutlined /> : <UploadOutlined />}
                  loading={beginning.isLoading || completing.isLoading}
                  disabled={!known && name.trim() === ''}
                >
                  {known ? t('add.goOn') : t('add.send')}
                </Button>
              )}
          </Flex>
          {moving && <Typography.Text type="secondary">{t('add.keepOpen')}</Typography.Text>}
        </Form>
      )}
      {failure !== undefined && <ErrorNote error={failure} />}
      {!moving && <Unfinished items={open.data ?? []} />}
    </Flex>
  )
}

function Picker({ label, icon, disabled, folder = false, onChoose }: {
  label: string
  icon: React.ReactNode
  disabled: boolean
  folder?: boolean
  onChoose: (files: File[]) => void
}) {
  const input = useRef<HTMLInputElement>(null)
  const chosen = ({ target }: ChangeEvent<HTMLInputElement>) => {
    onChoose([...(target.files ?? [])])
    target.value = ''
  }
  return (
    <>
      <input
        ref={input}
        type="file"
        hidden
        multiple
        aria-label={label}
        onChange={chosen}
        {...(folder ? { webkitdirectory: '' } : {})}
      />
      <Button icon={icon} disabled={disabled} onClick={() => input.current?.click()}>{label}</Button>
    </>
  )
}

function Unfinished({ items }: { items: Upload[] }) {
  const { t } = useTranslation()
  const dates = useDates()
  const [cancel, cancelling] = useCancelUploadMutation()
  if (items.length === 0) return null
  return (
    <section aria-label={t('add.unfinished')}>
      <Typography.Title level={5}>{t('add.unfinished')}</Typography.Title>
      <Typography.Paragraph type="secondary">{t('add.unfinishedHint')}</Typography.Paragraph>
      <ul className="rows">
        {items.map((item) => (
          <li key={item.id} className="row" aria-label={item.name}>
            <Flex justify="space-between" gap={12} wrap align="center">
              <div className="row-main">
                <div className="row-title">{item.name}</div>
                <div className="facts">
                  <span>{bytes(item.bytes_done)} / {bytes(item.size)}</span>
                  <span>{t('add.filesCount', { count: item.files.length })}</span>
                  <span title={dates.moment(item.created_at)}>{dates.ago(item.created_at)}</span>
                </div>
              </div>
              <Popconfirm
                title={t('add.giveUpAsk')}
                okText={t('add.giveUp')}
                cancelText={t('actions.keep')}
                okButtonProps={{ danger: true }}
                onConfirm={() => void cancel(item.id)}
              >
                <Button danger loading={cancelling.isLoading && cancelling.originalArgs === item.id}>{t('add.giveUp')}</Button>
              </Popconfirm>
            </Flex>
          </li>
        ))}
      </ul>
    </section>
  )
}
