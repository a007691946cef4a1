import { Select, type SelectProps } from 'antd'

import { useRolesQuery } from '@/lib/directory'
import { useAuth } from '@/lib/hooks'
import { holdsAll } from '@/lib/permissions'

/** Only a role of which one holds all can be given; the others are there, greyed. */
export function RoleSelect(props: SelectProps<string>) {
  const { user } = useAuth()
  const { data } = useRolesQuery()
  return (
    <Select<string>
      {...props}
      options={data?.map(({ name, title, description, permissions }) => ({
        value: name, label: title, title: description, disabled: !holdsAll(permissions, user),
      }))}
    />
  )
}
