import { Form, InputNumber, Modal, Switch } from 'antd'
import { useTranslation } from 'react-i18next'

import { ErrorNote } from '@/components/error-note'
import { fieldErrors } from '@/lib/field-errors'
import { fromMiB, toMiB } from '@/lib/format'
import { useMay } from '@/lib/hooks'
import type { Download } from '@/types'

import { useSetDownloadMutation } from './api'

interface Fields {
  speed: number | null
  connections: number | null
  priority: number
  any_time: boolean
}

/** What one download may take, and where it stands. Going before everybody is an operator's. */
export function LimitsDialog({ download, onClose }: { download: Download; onClose: () => void }) {
  const { t } = useTranslation()
  const [form] = Form.useForm<Fields>()
  const [set, { isLoading, error }] = useSetDownloadMutation()
  const mayManage = useMay('settings.manage')
  const save = async ({ speed, connections, priority, any_time }: Fields) => {
    const body = { rate: fromMiB(speed), connections, priority, ...(mayManage && { any_time }) }
    const answer = await set({ id: download.id, body })
    if (answer.error) form.setFields(fieldErrors(answer.error))
    else onClose()
  }
  return (
    <Modal
      open
      title={t('queue.limitsOf', { name: download.name })}
      okText={t('actions.save')}
      okButtonProps={{ loading: isLoading }}
      onOk={() => form.submit()}
      onCancel={onClose}
    >
      <Form
        form={form}
        layout="vertical"
        requiredMark={false}
        initialValues={{
          speed: toMiB(download.rate), connections: download.connections, priority: download.priority, any_time: download.any_time,
        }}
        onFinish={(fields) => void save(fields)}
      >
        <Form.Item name="speed" label={t('queue.speed')} extra={t('queue.speedHint')}>
          <InputNumber min={0.01} step={1} suffix="MiB/s" className="wide" placeholder={t('queue.noLimit')} />
        </Form.Item>
        <Form.Item name="connections" label={t('queue.connections')} extra={t('queue.connectionsHint')}>
          <InputNumber min={1} max={32} precision={0} className="wide" placeholder={t('queue.asTheHub')} />
        </Form.Item>
        <Form.Item name="priority" label={t('queue.priority')} extra={t(mayManage ? 'queue.priorityHint' : 'queue.priorityLower')}>
          <InputNumber min={-100} max={mayManage ? 100 : Math.max(0, download.priority)} precision={0} className="wide" />
        </Form.Item>
        {mayManage && (
          <Form.Item name="any_time" label={t('queue.anyTime')} valuePropName="checked">
            <Switch />
          </Form.Item>
        )}
      </Form>
      {error && <ErrorNote error={error} />}
    </Modal>
  )
}
