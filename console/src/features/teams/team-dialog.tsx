import { Form, Input, Modal } from 'antd'
import { useTranslation } from 'react-i18next'

import { ErrorNote } from '@/components/error-note'
import { fieldErrors } from '@/lib/field-errors'
import type { Team, TeamRequest } from '@/types'

import { useSaveTeamMutation } from './api'

interface Props {
  team?: Team
  onClose: () => void
  onMade?: (id: string) => void
}

export function TeamDialog({ team, onClose, onMade }: Props) {
  const { t } = useTranslation()
  const [form] = Form.useForm<TeamRequest>()
  const [save, { isLoading, error }] = useSaveTeamMutation()
  const submit = async (fields: TeamRequest) => {
    const answer = await save({ id: team?.id, ...fields })
    if (answer.error) return form.setFields(fieldErrors(answer.error))
    onClose()
    onMade?.(answer.data.id)
  }
  return (
    <Modal
      open
      title={team ? t('teams.editName', { name: team.name }) : t('teams.make')}
      okText={t('actions.save')}
      okButtonProps={{ loading: isLoading }}
      onOk={form.submit}
      onCancel={onClose}
    >
      <Form<TeamRequest>
        form={form}
        layout="vertical"
        requiredMark={false}
        initialValues={{ name: team?.name, description: team?.description ?? '' }}
        onFinish={(fields) => void submit(fields)}
      >
        <Form.Item name="name" label={t('account.name')} rules={[{ required: true, whitespace: true, message: t('deploy.nameMissing') }]}>
          <Input maxLength={100} autoFocus />
        </Form.Item>
        <Form.Item name="description" label={t('teams.description')}>
          <Input.TextArea maxLength={500} autoSize />
        </Form.Item>
        {error && <ErrorNote error={error} />}
      </Form>
    </Modal>
  )
}
