import { Alert, Form, Input, Modal } from 'antd'
import { useTranslation } from 'react-i18next'

import { ErrorNote } from '@/components/error-note'
import type { Quarantined } from '@/types'

import { useReleaseMutation } from './api'

interface Props {
  file: Quarantined
  onReleased: () => void
  onClose: () => void
}

/** Asks why a file may be trusted; the answer stands in the audit log. */
export function ReleaseDialog({ file, onReleased, onClose }: Props) {
  const { t } = useTranslation()
  const [form] = Form.useForm<{ reason: string }>()
  const [release, { isLoading, error }] = useReleaseMutation()
  const submit = async ({ reason }: { reason: string }) => {
    if (!('error' in (await release({ id: file.id, reason: reason.trim() })))) onReleased()
  }
  return (
    <Modal
      open
      title={t('quarantine.releaseTitle', { path: file.path })}
      okText={t('quarantine.releaseIt')}
      okButtonProps={{ danger: true }}
      cancelText={t('actions.keep')}
      confirmLoading={isLoading}
      onOk={form.submit}
      onCancel={onClose}
    >
      <Form form={form} layout="vertical" onFinish={(values) => void submit(values)}>
        <Alert type="warning" showIcon title={t('quarantine.warning')} description={t('quarantine.warningMore')} className="row-alert" />
        <Form.Item
          name="reason"
          label={t('quarantine.why')}
          rules={[{ required: true, whitespace: true, min: 3, max: 500, message: t('quarantine.whyNeeded') }]}
        >
          <Input.TextArea rows={3} maxLength={500} />
        </Form.Item>
        {error && <ErrorNote error={error} />}
      </Form>
    </Modal>
  )
}
