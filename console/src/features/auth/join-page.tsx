import { Alert, Skeleton, Typography } from 'antd'
import { useTranslation } from 'react-i18next'
import { Link } from 'react-router'

import { ErrorNote } from '@/components/error-note'
import { paths } from '@/config/paths'
import { useAuth, useDates } from '@/lib/hooks'
import type { JoinInfo } from '@/types'

import { useJoinInfoQuery, useJoinMutation } from './api'
import { DoorCard } from './door-card'
import { NewcomerForm, type NewcomerFields } from './newcomer-form'

/** The other end of an invitation's link, or of one for a new password. */
export function JoinPage({ token, onJoined }: { token: string; onJoined: () => void }) {
  const { t } = useTranslation()
  const { data, error, isLoading, refetch } = useJoinInfoQuery(token, { skip: !token })
  const reset = data?.kind === 'reset'
  return (
    <DoorCard title={reset ? t('join.resetTitle') : t('join.title')} lead={reset ? t('join.resetLead') : t('join.lead')}>
      {!token && <Alert type="warning" showIcon title={t('join.noToken')} />}
      {isLoading && <Skeleton active aria-label={t('common.loading')} />}
      {Boolean(error) && <ErrorNote error={error} retry={() => void refetch()} />}
      {data && <Invitation token={token} info={data} onJoined={onJoined} />}
      <Typography.Paragraph className="login-hint"><Link to={paths.login}>{t('login.back')}</Link></Typography.Paragraph>
    </DoorCard>
  )
}

function Invitation({ token, info, onJoined }: { token: string; info: JoinInfo; onJoined: () => void }) {
  const { t } = useTranslation()
  const dates = useDates()
  const { user } = useAuth()
  const [join, { isLoading, error }] = useJoinMutation()
  const reset = info.kind === 'reset'
  const submit = async ({ email, name, password }: NewcomerFields) => {
    const answer = await join({ token, password, ...(!reset && { name }), ...(!reset && !info.email && { email }) })
    if (!answer.error) onJoined()
  }
  return (
    <>
      <Typography.Paragraph type="secondary">
        {reset ? t('join.resetHint') : t('join.hint', { role: info.role })} {t('join.until', { when: dates.moment(info.expires_at) })}
      </Typography.Paragraph>
      {user && <Alert className="login-error" type="info" showIcon title={t('join.signedIn', { email: user.email })} />}
      <NewcomerForm
        submit={reset ? t('join.resetSubmit') : t('join.submit')}
        busy={isLoading}
        error={error}
        email={info.email}
        reset={reset}
        onSubmit={(fields) => void submit(fields)}
      />
    </>
  )
}
