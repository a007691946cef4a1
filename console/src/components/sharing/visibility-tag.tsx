import { GlobalOutlined, LockOutlined, TeamOutlined } from '@ant-design/icons'
import { Tag, Tooltip } from 'antd'
import { useTranslation } from 'react-i18next'

import { useTeamsQuery } from '@/lib/directory'
import { useAuth } from '@/lib/hooks'
import type { Owned } from '@/lib/permissions'

const ICONS = { private: <LockOutlined />, team: <TeamOutlined />, public: <GlobalOutlined /> }

/** Who sees it, and whose it is when it is somebody else's. */
export function VisibilityTag({ thing }: { thing: Owned & { owner_name?: string | null } }) {
  const { t } = useTranslation()
  const { user } = useAuth()
  const { visibility, team_id, owner_id, owner_name } = thing
  const shared = visibility === 'team'
  const teams = useTeamsQuery(undefined, { skip: !shared })
  const team = shared ? teams.data?.find(({ id }) => id === team_id)?.name : undefined
  const foreign = owner_id !== user?.id
  const owner = foreign ? (owner_name ?? t('sharing.nobody')) : t('sharing.you')
  return (
    <Tooltip title={`${t(`sharing.${visibility}Hint`, { team: team ?? t('sharing.team') })} ${t('sharing.owner', { owner })}`}>
      <Tag icon={ICONS[visibility]} className="visibility">
        {team ?? t(`sharing.${visibility}`)}
        {foreign && ` · ${owner}`}
      </Tag>
    </Tooltip>
  )
}
