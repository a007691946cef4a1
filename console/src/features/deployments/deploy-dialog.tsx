import { Collapse, Form, Input, Modal, Select, Skeleton } from 'antd'
import { useTranslation } from 'react-i18next'
import { useNavigate } from 'react-router'

import { ErrorNote } from '@/components/error-note'
import { type JsonSchema, valuesOf } from '@/components/schema-fields'
import { SchemaForm } from '@/components/schema-form'
import { VisibilityPicker } from '@/components/sharing/visibility-picker'
import { paths } from '@/config/paths'
import { fieldErrors } from '@/lib/field-errors'
import type { Model, Sharing } from '@/types'

import { useCreateDeploymentMutation, useRuntimesQuery } from './api'

interface Fields {
  name: string
  runtime: string
  sharing?: Sharing
  options?: Record<string, unknown>
}

/** A name that `/v1` accepts, from a model's: "Org/My Model" -> "my-model". */
export function suggestedName(model: string): string {
  const last = model.split('/').pop() ?? model
  return last.toLowerCase().replace(/[^a-z0-9._-]+/g, '-').replace(/^[^a-z0-9]+/, '').slice(0, 60) || 'model'
}

/** Deploy a model: a name, a runtime and that runtime's own options, drawn from the schema it publishes. */
export function DeployDialog({ model, onClose }: { model: Model; onClose: () => void }) {
  const { t } = useTranslation()
  const navigate = useNavigate()
  const [form] = Form.useForm<Fields>()
  const runtimes = useRuntimesQuery()
  const [create, { isLoading, error }] = useCreateDeploymentMutation()
  const chosen = Form.useWatch('runtime', form) ?? runtimes.data?.[0]?.name
  const schema = runtimes.data?.find(({ name }) => name === chosen)?.options_schema as JsonSchema | undefined

  const submit = async ({ name, runtime, sharing, options }: Fields) => {
    const answer = await create({ model_id: model.id, name, runtime, ...sharing, options: valuesOf(schema ?? {}, options ?? {}) })
    if (!answer.error) return void navigate(paths.deployments)
    form.setFields(fieldErrors(answer.error))
  }

  return (
    <Modal
      open
      title={t('deploy.title', { name: model.name })}
      okText={t('library.deploy')}
      okButtonProps={{ loading: isLoading, disabled: !runtimes.data }}
      onOk={form.submit}
      onCancel={onClose}
    >
      {runtimes.isError && <ErrorNote error={runtimes.error} retry={() => void runtimes.refetch()} />}
      {runtimes.isLoading && <Skeleton active />}
      {runtimes.data && (
        <Form<Fields>
          form={form}
          layout="vertical"
          onFinish={(fields) => void submit(fields)}
          initialValues={{ name: suggestedName(model.name), runtime: runtimes.data[0]?.name }}
        >
          <Form.Item
            name="name"
            label={t('deploy.name')}
            extra={t('deploy.nameHint')}
            rules={[
              { required: true, message: t('deploy.nameMissing') },
              { pattern: /^[A-Za-z0-9][A-Za-z0-9._:/-]*$/, message: t('deploy.nameWrong') },
            ]}
          >
            <Input autoFocus maxLength={80} />
          </Form.Item>
          <Form.Item name="runtime" label={t('deploy.runtime')} hidden={runtimes.data.length < 2}>
            <Select options={runtimes.data.map(({ name, title }) => ({ value: name, label: title }))} />
          </Form.Item>
          <Form.Item name="sharing" label={t('sharing.who')}>
            <VisibilityPicker />
          </Form.Item>
          {schema && (
            <Collapse
              ghost
              className="plain-collapse"
              items={[{ key: 'options', label: t('deploy.options'), forceRender: true, children: <SchemaForm schema={schema} at="options" /> }]}
            />
          )}
          {error && <ErrorNote error={error} />}
        </Form>
      )}
    </Modal>
  )
}
