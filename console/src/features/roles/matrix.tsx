import { CheckOutlined } from '@ant-design/icons'
import { Card, Table } from 'antd'
import { useTranslation } from 'react-i18next'

import { usePermissionText } from '@/components/permission-text'
import type { Permission, Role } from '@/types'

/** Permissions down, roles across. */
export function Matrix({ roles, permissions }: { roles: Role[]; permissions: Permission[] }) {
  const { t } = useTranslation()
  const textOf = usePermissionText()
  return (
    <Card title={t('roles.matrix')} className="matrix">
      <Table<Permission>
        size="small"
        rowKey="name"
        pagination={false}
        scroll={{ x: 190 + roles.length * 100 }}
        dataSource={permissions}
        columns={[
          {
            title: t('roles.permission'),
            fixed: 'left',
            width: 190,
            render: (_value, { name, description }) => (
              <>
                {textOf(name, description)}
                <code className="permission-name row-sub">{name}</code>
              </>
            ),
          },
          ...roles.map((role) => ({
            title: role.title,
            key: role.name,
            width: 100,
            align: 'center' as const,
            render: (_value: unknown, { name }: Permission) =>
              role.permissions.includes(name) ? <CheckOutlined className="granted" aria-label={t('roles.granted')} /> : <span aria-label={t('roles.notGranted')}>·</span>,
          })),
        ]}
      />
    </Card>
  )
}
