import { Alert, AutoComplete, Button, Collapse, Flex, Form, Input, Modal, Progress, Select } from 'antd'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'

import { ErrorNote } from '@/components/error-note'
import { fieldErrors } from '@/lib/field-errors'
import { bytes, percent } from '@/lib/format'
import type { Job, Model, OllamaCreate } from '@/types'

import { useCancelOllamaJobMutation, useCreateOllamaModelMutation, useOllamaJobQuery, useOllamaMaterialQuery } from './api'

interface Fields {
  name: string
  model_id: string
  file?: string
  base?: string
  system?: string
  template?: string
  license?: string
  parameters?: string
}

/** `temperature 0.7`, one a line, as a Modelfile has them: numbers as numbers, what repeats as a list. */
export function parametersOf(text: string | undefined): Record<string, unknown> | undefined {
  const found: Record<string, unknown> = {}
  for (const line of (text ?? '').split('\n').map((each) => each.trim()).filter(Boolean)) {
    const [name = '', ...rest] = line.split(/\s+/)
    const words = rest.join(' ').replace(/^"(.*)"$/, '$1')
    const value = words !== '' && !Number.isNaN(Number(words)) ? Number(words) : words
    const before = found[name]
    found[name] = before === undefined ? value : [...(Array.isArray(before) ? before : [before]), value]
  }
  if (found.stop !== undefined && !Array.isArray(found.stop)) found.stop = [String(found.stop)]
  return Object.keys(found).length > 0 ? found : undefined
}

const ggufs = (model?: Model) => model?.files.filter(({ path }) => path.endsWith('.gguf')).map(({ path }) => path) ?? []

/** Make a model on the server of one of the library's: choose, and watch it being made. */
export function CreateDialog({ held, onClose }: { held: string[]; onClose: () => void }) {
  const { t } = useTranslation()
  const [job, setJob] = useState<string | null>(null)
  return (
    <Modal open title={t('ollama.createTitle')} footer={null} onCancel={onClose} destroyOnHidden>
      {job ? <Making id={job} onClose={onClose} /> : <CreateForm held={held} onStart={({ id }) => setJob(id)} />}
    </Modal>
  )
}

function CreateForm({ held, onStart }: { held: string[]; onStart: (job: Job) => void }) {
  const { t } = useTranslation()
  const [form] = Form.useForm<Fields>()
  const [words, setWords] = useState('')
  const material = useOllamaMaterialQuery(words)
  const [create, { isLoading, error }] = useCreateOllamaModelMutation()
  const wanted = Form.useWatch('model_id', form)
  const chosen = material.data?.find(({ id }) => id === wanted)
  const files = ggufs(chosen)
  const needed = (name: string) => [{ required: true, message: t('form.required', { name }) }]

  const submit = async ({ parameters, ...fields }: Fields) => {
    const given = Object.entries(fields).filter(([, value]) => value)
    const body = { ...Object.fromEntries(given), parameters: parametersOf(parameters) } as OllamaCreate
    const answer = await create(body)
    if (answer.data) onStart(answer.data)
    else form.setFields(fieldErrors(answer.error))
  }
  return (
    <Form<Fields> form={form} layout="vertical" onFinish={(fields) => void submit(fields)}>
      <Form.Item name="model_id" label={t('ollama.material')} rules={needed(t('ollama.material'))}>
        <Select
          showSearch={{ filterOption: false, onSearch: setWords }}
          loading={material.isFetching}
          options={material.data?.map(({ id, name }) => ({ value: id, label: name }))}
        />
      </Form.Item>
      {files.length > 1 && (
        <Form.Item name="file" label={t('ollama.file')} rules={needed(t('ollama.file'))}>
          <Select options={files.map((path) => ({ value: path, label: path }))} />
        </Form.Item>
      )}
      {chosen?.kind === 'adapter' && (
        <Form.Item name="base" label={t('ollama.base')} extra={t('ollama.baseHint')} rules={needed(t('ollama.base'))}>
          <AutoComplete options={held.map((value) => ({ value }))} />
        </Form.Item>
      )}
      <Form.Item name="name" label={t('ollama.name')} rules={needed(t('ollama.name'))}>
        <Input placeholder="my-model:latest" />
      </Form.Item>
      <Collapse
        size="small"
        items={[{
          key: 'more',
          label: t('ollama.more'),
          children: (
            <>
              <Form.Item name="system" label={t('ollama.system')}><Input.TextArea autoSize={{ minRows: 2, maxRows: 6 }} /></Form.Item>
              <Form.Item name="parameters" label={t('ollama.settings')} extra={t('ollama.settingsHint')}>
                <Input.TextArea autoSize={{ minRows: 2, maxRows: 6 }} placeholder={'temperature 0.7\nstop "###"'} />
              </Form.Item>
              <Form.Item name="template" label={t('ollama.template')}><Input.TextArea autoSize={{ minRows: 2, maxRows: 8 }} /></Form.Item>
              <Form.Item name="license" label={t('ollama.license')}><Input.TextArea autoSize={{ minRows: 1, maxRows: 4 }} /></Form.Item>
            </>
          ),
        }]}
      />
      {error && <ErrorNote error={error} />}
      <Flex justify="end" className="row-alert">
        <Button type="primary" htmlType="submit" loading={isLoading}>{t('ollama.create')}</Button>
      </Flex>
    </Form>
  )
}

const ENDED = ['completed', 'failed', 'cancelled']

function Making({ id, onClose }: { id: string; onClose: () => void }) {
  const { t } = useTranslation()
  const [ended, setEnded] = useState(false)
  const { data: job, error } = useOllamaJobQuery(id, { pollingInterval: ended ? 0 : 1000 })
  const [cancel, cancelling] = useCancelOllamaJobMutation()
  if (job && !ended && ENDED.includes(job.state)) setEnded(true)
  if (error) return <ErrorNote error={error} />
  const { bytes_done: done = 0, bytes_total: total = 0, message = '' } = (job?.progress ?? {}) as {
    bytes_done?: number
    bytes_total?: number
    message?: string
  }
  return (
    <Flex vertical gap={12}>
      {job?.state === 'failed' && <Alert type="error" showIcon title={job.error?.message} />}
      {job?.state === 'completed' && <Alert type="success" showIcon title={t('ollama.made')} />}
      {job?.state === 'cancelled' && <Alert type="info" showIcon title={t('status.cancelled')} />}
      {!ended && (
        <>
          <Progress aria-label={t('ollama.making')} percent={percent(done, total)} status="active" />
          <div className="facts"><span>{bytes(done)} / {bytes(total)}</span><span>{message}</span></div>
        </>
      )}
      <Flex justify="end" gap={8}>
        {!ended && <Button danger loading={cancelling.isLoading} onClick={() => void cancel(id)}>{t('jobs.cancel')}</Button>}
        <Button type={ended ? 'primary' : 'default'} onClick={onClose}>{t('actions.done')}</Button>
      </Flex>
    </Flex>
  )
}
