import { DownloadOutlined } from '@ant-design/icons'
import { Button, Form, Input } from 'antd'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'

import { ErrorNote } from '@/components/error-note'
import { VisibilityPicker } from '@/components/sharing/visibility-picker'
import type { DownloadRequest, Sharing } from '@/types'

interface Fields {
  url: string
  more?: string
  name?: string
  sha256?: string
  sharing?: Sharing
}

interface Props {
  onStart: (request: DownloadRequest) => Promise<unknown>
}

/** What the fields ask the hub for. */
export function requestOf({ url, more, name, sha256, sharing }: Fields): DownloadRequest {
  const files = (more ?? '').split('\n').map((line) => line.trim()).filter(Boolean).map((each) => ({ url: each }))
  const options = {
    ...(files.length > 0 ? { files } : {}),
    ...(name?.trim() ? { name: name.trim() } : {}),
    ...(sha256?.trim() ? { sha256: sha256.trim() } : {}),
  }
  return { source: 'url', ref: url.trim(), options, ...sharing }
}

/** A file from any web address; with more addresses, several files of one model. */
export function UrlTab({ onStart }: Props) {
  const { t } = useTranslation()
  const [busy, setBusy] = useState(false)
  const [failure, setFailure] = useState<unknown>()
  const start = async (fields: Fields) => {
    setBusy(true)
    setFailure(undefined)
    setFailure(await onStart(requestOf(fields)))
    setBusy(false)
  }
  return (
    <Form<Fields> layout="vertical" className="narrow-form" onFinish={(fields) => void start(fields)}>
      <Form.Item
        name="url"
        label={t('add.url')}
        extra={t('add.urlHint')}
        rules={[{ required: true, message: t('form.required', { name: t('add.url') }) }]}
      >
        <Input inputMode="url" placeholder="https://example.org/model.gguf" maxLength={4096} />
      </Form.Item>
      <Form.Item name="more" label={t('add.more')} extra={t('add.moreHint')}>
        <Input.TextArea autoSize={{ minRows: 2, maxRows: 10 }} />
      </Form.Item>
      <Form.Item name="name" label={t('add.name')}>
        <Input maxLength={200} />
      </Form.Item>
      <Form.Item
        name="sha256"
        label="SHA-256"
        extra={t('add.shaHint')}
        rules={[{ pattern: /^\s*[0-9a-fA-F]{64}\s*$/, message: t('add.shaWrong') }]}
      >
        <Input maxLength={80} />
      </Form.Item>
      <Form.Item name="sharing" label={t('sharing.who')}>
        <VisibilityPicker />
      </Form.Item>
      {failure !== undefined && <ErrorNote error={failure} />}
      <Button type="primary" htmlType="submit" icon={<DownloadOutlined />} loading={busy}>{t('search.download')}</Button>
    </Form>
  )
}
