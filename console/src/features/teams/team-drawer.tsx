import { DeleteOutlined, EditOutlined } from '@ant-design/icons'
import { App, Button, Drawer, Flex, Select, Switch, Tag, Typography } from 'antd'
import { useDeferredValue, useState } from 'react'
import { useTranslation } from 'react-i18next'

import { useAuth, useMay } from '@/lib/hooks'
import type { Team } from '@/types'

import { usePeopleQuery, useRemoveMemberMutation, useRemoveTeamMutation, useSetMemberMutation } from './api'
import { TeamDialog } from './team-dialog'

/** Who is in a team; a manager may change what is shared with it, and who is in it. */
export function TeamDrawer({ team, onClose }: { team: Team; onClose: () => void }) {
  const { t } = useTranslation()
  const { modal } = App.useApp()
  const { user } = useAuth()
  const mayManage = useMay('teams.manage')
  const mayChange = team.members.some(({ user_id, manager }) => manager && user_id === user?.id) || mayManage
  const maySeeUsers = useMay('users.read')
  const [editing, setEditing] = useState(false)
  const [remove] = useRemoveTeamMutation()
  const askRemove = () =>
    modal.confirm({
      title: t('teams.removeAsk', { name: team.name }),
      content: t('teams.removeHint'),
      okText: t('users.remove'),
      okButtonProps: { danger: true },
      onOk: async () => {
        const answer = await remove(team.id)
        if (!answer.error) onClose()
      },
    })
  return (
    <Drawer
      open
      onClose={onClose}
      size="min(640px, 100vw)"
      title={team.name}
      extra={mayChange && (
        <Flex gap={4}>
          <Button type="text" icon={<EditOutlined />} aria-label={t('teams.editName', { name: team.name })} onClick={() => setEditing(true)} />
          {mayManage && (
            <Button type="text" danger icon={<DeleteOutlined />} aria-label={t('teams.removeName', { name: team.name })} onClick={askRemove} />
          )}
        </Flex>
      )}
    >
      <Flex vertical gap={12}>
        {team.description && <Typography.Paragraph>{team.description}</Typography.Paragraph>}
        {mayChange && maySeeUsers && <AddMember team={team} />}
        {team.members.length === 0 && <Typography.Text type="secondary">{t('teams.empty')}</Typography.Text>}
        {team.members.length > 0 && (
          <ul className="rows" aria-label={t('teams.members')}>
            {team.members.map((member) => <MemberRow key={member.user_id} team={team} member={member} mayChange={mayChange} />)}
          </ul>
        )}
      </Flex>
      {editing && <TeamDialog team={team} onClose={() => setEditing(false)} />}
    </Drawer>
  )
}

function MemberRow({ team, member, mayChange }: { team: Team; member: Team['members'][number]; mayChange: boolean }) {
  const { t } = useTranslation()
  const [set, setting] = useSetMemberMutation()
  const [remove, removing] = useRemoveMemberMutation()
  const { user_id: userId, manager } = member
  const name = member.name || member.email
  return (
    <li className="row" aria-label={name}>
      <Flex justify="space-between" gap={12} wrap align="center">
        <div>
          <div className="row-title">{name} {manager && !mayChange && <Tag>{t('teams.manager')}</Tag>}</div>
          {member.name && <div className="row-sub">{member.email}</div>}
        </div>
        {mayChange && (
          <Flex gap={12} align="center">
            <label className="inline-label">
              <Switch
                size="small"
                checked={manager}
                loading={setting.isLoading}
                aria-label={t('teams.managerName', { name })}
                onChange={(on) => void set({ id: team.id, userId, manager: on })}
              />
              {t('teams.manager')}
            </label>
            <Button
              type="text"
              danger
              icon={<DeleteOutlined />}
              loading={removing.isLoading}
              aria-label={t('teams.dropName', { name })}
              onClick={() => void remove({ id: team.id, userId })}
            />
          </Flex>
        )}
      </Flex>
    </li>
  )
}

function AddMember({ team }: { team: Team }) {
  const { t } = useTranslation()
  const [text, setText] = useState('')
  const { data, isFetching } = usePeopleQuery(useDeferredValue(text))
  const [set] = useSetMemberMutation()
  const inside = new Set(team.members.map(({ user_id }) => user_id))
  return (
    <Select
      aria-label={t('teams.add')}
      placeholder={t('teams.add')}
      value={null}
      loading={isFetching}
      showSearch={{ filterOption: false, onSearch: setText, searchValue: text }}
      options={data?.filter(({ id }) => !inside.has(id)).map(({ id, name, email }) => ({ value: id, label: name ? `${name} · ${email}` : email }))}
      onChange={(userId: string | null) => {
        setText('')
        if (userId) void set({ id: team.id, userId, manager: false })
      }}
    />
  )
}
