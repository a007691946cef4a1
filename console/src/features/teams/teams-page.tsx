import { PlusOutlined, TeamOutlined } from '@ant-design/icons'
import { Button, Flex, Skeleton } from 'antd'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'

import { EmptyState } from '@/components/empty-state'
import { ErrorNote } from '@/components/error-note'
import { Page } from '@/components/page'
import { useTeamsQuery } from '@/lib/directory'
import { useDates, useMay } from '@/lib/hooks'
import type { Team } from '@/types'

import { TeamDialog } from './team-dialog'
import { TeamDrawer } from './team-drawer'

export function TeamsPage() {
  const { t } = useTranslation()
  const mayManage = useMay('teams.manage')
  const { data, error, isError, isLoading, refetch } = useTeamsQuery()
  const [openId, setOpenId] = useState<string | null>(null)
  const [making, setMaking] = useState(false)
  const open = data?.find(({ id }) => id === openId)
  const make = mayManage && <Button type="primary" icon={<PlusOutlined />} onClick={() => setMaking(true)}>{t('teams.make')}</Button>
  return (
    <Page title={t('nav.teams')} hint={t('teams.hint')} actions={(data?.length ?? 0) > 0 && make}>
      {isError && <ErrorNote error={error} retry={() => void refetch()} />}
      {isLoading && <Skeleton active aria-label={t('common.loading')} />}
      {data?.length === 0 && <EmptyState title={t('teams.none')} hint={mayManage ? t('teams.noneHint') : t('teams.askHint')}>{make}</EmptyState>}
      {data && data.length > 0 && (
        <ul className="rows" aria-label={t('nav.teams')}>
          {data.map((team) => <TeamRow key={team.id} team={team} onOpen={() => setOpenId(team.id)} />)}
        </ul>
      )}
      {open && <TeamDrawer team={open} onClose={() => setOpenId(null)} />}
      {making && <TeamDialog onClose={() => setMaking(false)} onMade={setOpenId} />}
    </Page>
  )
}

function TeamRow({ team, onOpen }: { team: Team; onOpen: () => void }) {
  const { t } = useTranslation()
  const dates = useDates()
  return (
    <li className="row row-link">
      <button type="button" className="row-open" aria-label={team.name} onClick={onOpen}>
        <span className="row-title"><TeamOutlined /> {team.name}</span>
        {team.description && <span className="row-text">{team.description}</span>}
        <Flex component="span" className="facts">
          <span>{t('teams.membersCount', { count: team.members.length })}</span>
          <span title={dates.moment(team.created_at)}>{dates.ago(team.created_at)}</span>
        </Flex>
      </button>
    </li>
  )
}
