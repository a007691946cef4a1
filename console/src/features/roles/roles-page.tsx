import { PlusOutlined } from '@ant-design/icons'
import { Button, Skeleton } from 'antd'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'

import { ErrorNote } from '@/components/error-note'
import { Page } from '@/components/page'
import { useRolesQuery } from '@/lib/directory'
import { useMay } from '@/lib/hooks'
import type { Role } from '@/types'

import { usePermissionsQuery } from './api'
import { Matrix } from './matrix'
import { RoleDialog } from './role-dialog'
import { RoleRow } from './role-row'

/** What each role allows, side by side; custom roles are made from what one holds oneself. */
export function RolesPage() {
  const { t } = useTranslation()
  const mayManage = useMay('roles.manage')
  const roles = useRolesQuery()
  const permissions = usePermissionsQuery()
  const [opened, setOpened] = useState<Role | 'new' | null>(null)
  return (
    <Page
      title={t('nav.roles')}
      hint={t('roles.hint')}
      actions={mayManage && (
        <Button type="primary" icon={<PlusOutlined />} disabled={!permissions.data} onClick={() => setOpened('new')}>{t('roles.make')}</Button>
      )}
    >
      {roles.isError && <ErrorNote error={roles.error} retry={() => void roles.refetch()} />}
      {permissions.isError && <ErrorNote error={permissions.error} retry={() => void permissions.refetch()} />}
      {(roles.isLoading || permissions.isLoading) && <Skeleton active paragraph={{ rows: 8 }} aria-label={t('common.loading')} />}
      {roles.data && (
        <ul className="rows" aria-label={t('nav.roles')}>
          {roles.data.map((role) => <RoleRow key={role.name} role={role} onEdit={() => setOpened(role)} />)}
        </ul>
      )}
      {roles.data && permissions.data && <Matrix roles={roles.data} permissions={permissions.data} />}
      {opened && permissions.data && (
        <RoleDialog role={opened === 'new' ? null : opened} permissions={permissions.data} onClose={() => setOpened(null)} />
      )}
    </Page>
  )
}
