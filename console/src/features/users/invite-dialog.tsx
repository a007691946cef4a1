import { Form, Input, Modal, Select } from 'antd'
import { useTranslation } from 'react-i18next'

import { ErrorNote } from '@/components/error-note'
import { SecretOnce } from '@/components/secret-once'
import { useTeamsQuery } from '@/lib/directory'
import { fieldErrors } from '@/lib/field-errors'
import { useDates } from '@/lib/hooks'

import { useInviteMutation } from './api'
import { RoleSelect } from './role-select'

interface Fields {
  email?: string
  role: string
  teams: string[]
  days: number
}

const DAYS = [1, 7, 30]

/** Makes a link that lets one person in; the hub sends no mail, so it is shown for passing on. */
export function InviteDialog({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation()
  const dates = useDates()
  const [form] = Form.useForm<Fields>()
  const teams = useTeamsQuery()
  const [invite, { isLoading, error, data: made }] = useInviteMutation()
  const submit = async ({ email, ...rest }: Fields) => {
    const answer = await invite({ ...rest, email: email?.trim() || null })
    if (answer.error) form.setFields(fieldErrors(answer.error))
  }
  if (made) {
    return (
      <SecretOnce title={t('invites.madeTitle')} warning={t('invites.once')} text={made.link} copy={t('invites.copy')} onClose={onClose}>
        {t('join.until', { when: dates.moment(made.expires_at) })}
      </SecretOnce>
    )
  }
  return (
    <Modal
      open
      title={t('invites.invite')}
      okText={t('invites.make')}
      okButtonProps={{ loading: isLoading }}
      onOk={form.submit}
      onCancel={onClose}
    >
      <Form<Fields>
        form={form}
        layout="vertical"
        requiredMark={false}
        initialValues={{ role: 'user', teams: [], days: 7 }}
        onFinish={(fields) => void submit(fields)}
      >
        <Form.Item name="email" label={t('login.email')} extra={t('invites.emailHint')}>
          <Input inputMode="email" maxLength={254} autoFocus autoComplete="off" />
        </Form.Item>
        <Form.Item name="role" label={t('users.role')}>
          <RoleSelect />
        </Form.Item>
        <Form.Item name="teams" label={t('nav.teams')} hidden={!teams.data?.length}>
          <Select
            mode="multiple"
            options={teams.data?.map(({ id, name }) => ({ value: id, label: name }))}
            showSearch={{ optionFilterProp: 'label' }}
          />
        </Form.Item>
        <Form.Item name="days" label={t('invites.validFor')}>
          <Select options={DAYS.map((value) => ({ value, label: t('keys.days', { count: value }) }))} />
        </Form.Item>
        {error && <ErrorNote error={error} />}
      </Form>
    </Modal>
  )
}
