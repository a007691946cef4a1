import { Card, Skeleton } from 'antd'
import { useTranslation } from 'react-i18next'
import { Link } from 'react-router'

import { ErrorNote } from '@/components/error-note'
import { Page } from '@/components/page'
import { paths } from '@/config/paths'
import { useMay } from '@/lib/hooks'

import { useSystemQuery } from './api'
import { FirstSteps, type Progress } from './first-steps'
import { Machine, Parts } from './machine'

export interface Count {
  key: 'models' | 'downloads' | 'deployments' | 'chats'
  /** As text, since a list of which only the first page is known counts as "50+"; null while it loads. */
  value: string | null
}

interface Props {
  counts: Count[]
  progress: Progress | null
  onMakeFirst: () => Promise<unknown>
}

const PLACES = { models: paths.library, downloads: paths.downloads, deployments: paths.deployments, chats: paths.chat }

export function OverviewPage({ counts, progress, onMakeFirst }: Props) {
  const { t } = useTranslation()
  const maySee = useMay('system.read')
  const system = useSystemQuery(undefined, { skip: !maySee, pollingInterval: 15_000, skipPollingIfUnfocused: true })
  return (
    <Page title={t('nav.overview')} hint={system.data && `ModelHub ${system.data.version} · ${system.data.home}`}>
      {progress && <FirstSteps progress={progress} onMakeFirst={onMakeFirst} />}
      <ul className="counts">
        {counts.map(({ key, value }) => (
          <li key={key}>
            <Link to={PLACES[key]} className="count">
              <span className="count-value">{value ?? '…'}</span>
              <span className="count-label">{t(`overview.${key}`)}</span>
            </Link>
          </li>
        ))}
      </ul>
      {system.isError && <ErrorNote error={system.error} retry={() => void system.refetch()} />}
      {maySee && (
        <div className="halves">
          <Card title={t('overview.machine')}>{system.data ? <Machine system={system.data} /> : <Skeleton active />}</Card>
          <Card title={t('overview.parts')}>{system.data ? <Parts system={system.data} /> : <Skeleton active />}</Card>
        </div>
      )}
    </Page>
  )
}
