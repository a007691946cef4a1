import { EditOutlined } from '@ant-design/icons'
import { Button, Form, Input, Modal, Select } from 'antd'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'

import { ErrorNote } from '@/components/error-note'
import type { Model, ModelPatch } from '@/types'

import { useEditModelMutation } from './api'

/** Name, description and tags. */
export function EditModel({ model }: { model: Model }) {
  const { t } = useTranslation()
  const [open, setOpen] = useState(false)
  const [edit, { isLoading, error, reset }] = useEditModelMutation()
  const close = () => {
    setOpen(false)
    reset()
  }
  const save = async (values: ModelPatch) => {
    if (!(await edit({ id: model.id, ...values })).error) close()
  }
  return (
    <>
      <Button
        type="text"
        icon={<EditOutlined />}
        title={t('library.edit')}
        aria-label={t('library.editName', { name: model.name })}
        onClick={() => setOpen(true)}
      />
      <Modal open={open} footer={null} destroyOnHidden title={t('library.editName', { name: model.name })} onCancel={close}>
        <Form
          layout="vertical"
          requiredMark={false}
          initialValues={{ name: model.name, description: model.description, tags: model.tags }}
          onFinish={(values: ModelPatch) => void save(values)}
        >
          <Form.Item name="name" label={t('library.name')} rules={[{ required: true, whitespace: true, message: t('library.nameMissing') }]}>
            <Input maxLength={300} />
          </Form.Item>
          <Form.Item name="description" label={t('library.description')}>
            <Input.TextArea rows={4} maxLength={10_000} />
          </Form.Item>
          <Form.Item name="tags" label={t('model.tags')}>
            <Select mode="tags" open={false} suffixIcon={null} tokenSeparators={[',']} maxCount={100} />
          </Form.Item>
          {error && <ErrorNote error={error} />}
          <Button type="primary" htmlType="submit" loading={isLoading}>{t('library.save')}</Button>
        </Form>
      </Modal>
    </>
  )
}
