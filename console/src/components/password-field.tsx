import { Form, Input, Progress } from 'antd'
import { useTranslation } from 'react-i18next'

import { SHORTEST, strengthOf, STRENGTHS } from '@/lib/strength'

interface Props {
  name: string
  label: string
  /** Words a password should not lean on: one's name and address. */
  own?: string[]
  /** Leave room for "keep what I have". */
  required?: boolean
}

/** A new password with a hint how good it is; put it inside an antd Form. The hub has the last word. */
export function PasswordField({ name, label, own = [], required = true }: Props) {
  const { t } = useTranslation()
  const typed = (Form.useWatch(name, Form.useFormInstance()) as string | undefined) ?? ''
  const strength = strengthOf(typed, own)
  const step = STRENGTHS.indexOf(strength)
  return (
    <Form.Item
      name={name}
      label={label}
      rules={[
        { required, message: t('password.missing') },
        { min: SHORTEST, message: t('password.short', { n: SHORTEST }) },
      ]}
      extra={
        <span className="strength" aria-live="polite">
          {typed && (
            <Progress
              aria-hidden
              percent={step * 25}
              steps={4}
              size="small"
              showInfo={false}
              status={step < 2 ? 'exception' : step > 2 ? 'success' : 'normal'}
            />
          )}
          {typed ? t(`password.${strength}`, { n: SHORTEST }) : t('password.hint', { n: SHORTEST })}
        </span>
      }
    >
      <Input.Password autoComplete="new-password" maxLength={1024} />
    </Form.Item>
  )
}
