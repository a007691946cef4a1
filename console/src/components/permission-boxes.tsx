import { Checkbox } from 'antd'

import { usePermissionText } from '@/components/permission-text'

interface Props {
  /** What is offered: names, with the hub's words where it gave some, and those one may not give. */
  choices: { name: string; description?: string; disabled?: boolean }[]
  label: string
  value?: string[]
  onChange?: (names: string[]) => void
}

/** A choice of permissions, each with what it allows; a control for an antd Form. */
export function PermissionBoxes({ choices, label, value = [], onChange }: Props) {
  const textOf = usePermissionText()
  const toggle = (name: string, on: boolean) => onChange?.(on ? [...value, name] : value.filter((other) => other !== name))
  return (
    <ul className="permissions" role="group" aria-label={label}>
      {choices.map(({ name, description, disabled }) => (
        <li key={name}>
          <Checkbox checked={value.includes(name)} disabled={disabled} onChange={({ target }) => toggle(name, target.checked)}>
            {textOf(name, description)} <code className="permission-name">{name}</code>
          </Checkbox>
        </li>
      ))}
    </ul>
  )
}
