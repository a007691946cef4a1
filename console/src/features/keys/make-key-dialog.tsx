import { Form, Input, InputNumber, Modal, Select } from 'antd'
import { useTranslation } from 'react-i18next'

import { ErrorNote } from '@/components/error-note'
import { PermissionBoxes } from '@/components/permission-boxes'
import { SecretOnce } from '@/components/secret-once'
import { fieldErrors } from '@/lib/field-errors'
import { useAuth } from '@/lib/hooks'
import { inOrder, NEVER_FOR_KEYS } from '@/lib/permissions'
import type { Deployment } from '@/types'

import { useMakeKeyMutation } from './api'

interface Fields {
  name: string
  scopes: string[]
  deployments?: string[]
  days: number
  requests_per_minute?: number | null
}

/** What most programs need: to ask models. */
const USUAL = ['chat.use', 'models.read', 'deployments.read']
const DAYS = [30, 90, 365, 0]

export function MakeKeyDialog({ deployments, onClose }: { deployments: Deployment[]; onClose: () => void }) {
  const { t } = useTranslation()
  const { user } = useAuth()
  const [form] = Form.useForm<Fields>()
  const [make, { isLoading, error, data: made }] = useMakeKeyMutation()
  const own = inOrder(user?.permissions ?? []).filter((name) => !NEVER_FOR_KEYS.includes(name))

  const submit = async ({ name, scopes, deployments: only, days, requests_per_minute }: Fields) => {
    const answer = await make({
      name,
      scopes,
      deployments: only?.length ? only : null,
      days: days || null,
      requests_per_minute: requests_per_minute ?? null,
    })
    if (answer.error) form.setFields(fieldErrors(answer.error))
  }

  if (made) {
    return <SecretOnce title={t('keys.madeTitle', { name: made.name })} warning={t('keys.once')} text={made.key} copy={t('keys.copy')} onClose={onClose} />
  }
  return (
    <Modal
      open
      title={t('keys.make')}
      okText={t('keys.make')}
      okButtonProps={{ loading: isLoading }}
      onOk={form.submit}
      onCancel={onClose}
    >
      <Form<Fields>
        form={form}
        layout="vertical"
        requiredMark={false}
        initialValues={{ scopes: USUAL.filter((name) => own.includes(name)), days: 90 }}
        onFinish={(fields) => void submit(fields)}
      >
        <Form.Item
          name="name"
          label={t('keys.name')}
          extra={t('keys.nameHint')}
          rules={[{ required: true, whitespace: true, message: t('deploy.nameMissing') }]}
        >
          <Input autoFocus maxLength={100} />
        </Form.Item>
        <Form.Item name="scopes" label={t('keys.scopes')} rules={[{ required: true, type: 'array', min: 1, message: t('keys.scopesMissing') }]}>
          <PermissionBoxes label={t('keys.scopes')} choices={own.map((name) => ({ name }))} />
        </Form.Item>
        <Form.Item name="deployments" label={t('keys.deployments')}>
          <Select
            mode="multiple"
            placeholder={t('keys.allDeployments')}
            options={deployments.map(({ id, name }) => ({ value: id, label: name }))}
            showSearch={{ optionFilterProp: 'label' }}
          />
        </Form.Item>
        <Form.Item name="days" label={t('keys.expiry')}>
          <Select options={DAYS.map((value) => ({ value, label: value ? t('keys.days', { count: value }) : t('keys.never') }))} />
        </Form.Item>
        <Form.Item name="requests_per_minute" label={t('keys.perMinute')}>
          <InputNumber className="wide" min={1} max={1_000_000} precision={0} placeholder={t('keys.perMinuteDefault')} />
        </Form.Item>
        {error && <ErrorNote error={error} />}
      </Form>
    </Modal>
  )
}
