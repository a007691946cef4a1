import { Select } from 'antd'
import { useTranslation } from 'react-i18next'

import { useTeamsQuery } from '@/lib/directory'
import { useAuth, useMay } from '@/lib/hooks'
import type { Sharing, Visibility } from '@/types'

interface Props {
  value?: Sharing
  onChange?: (value: Sharing | undefined) => void
  /** Without it nothing need be chosen, and the hub's own default holds. */
  required?: boolean
  /** What it is now: one may keep what one could not choose. */
  current?: Visibility
  id?: string
  className?: string
}

/** The teams one can share with: one's own, or all where one may change everything. */
function useTeamChoices() {
  const { user } = useAuth()
  const all = useMay('all.write')
  const { data } = useTeamsQuery(undefined, { skip: !all })
  return all && data ? data : (user?.teams ?? [])
}

/** Only me, one of my teams, or everybody: one choice; a control for an antd Form. */
export function VisibilityPicker({ value, onChange, required = false, current, ...rest }: Props) {
  const { t } = useTranslation()
  const mayPublish = useMay('share.public')
  const teams = useTeamChoices()
  return (
    <Select
      {...rest}
      aria-label={t('sharing.who')}
      allowClear={!required}
      placeholder={t('sharing.default')}
      value={value && (value.visibility === 'team' ? `team:${value.team_id}` : value.visibility)}
      onChange={(chosen?: string) => {
        if (!chosen) return onChange?.(undefined)
        const [visibility, team_id = null] = chosen.split(':') as [Visibility, string?]
        onChange?.({ visibility, team_id })
      }}
      options={[
        { value: 'private', label: t('sharing.private') },
        ...teams.map(({ id, name }) => ({ value: `team:${id}`, label: t('sharing.teamNamed', { team: name }) })),
        { value: 'public', label: t('sharing.public'), disabled: !mayPublish && current !== 'public' },
      ]}
    />
  )
}
