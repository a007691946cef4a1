import { Alert, Skeleton, Typography } from 'antd'
import { useTranslation } from 'react-i18next'
import { Link } from 'react-router'

import { paths } from '@/config/paths'

import { useRegisterMutation, useSignInOptionsQuery } from './api'
import { DoorCard } from './door-card'
import { NewcomerForm } from './newcomer-form'

/** An account of one's own making, where the hub allows it. */
export function RegisterPage() {
  const { t } = useTranslation()
  const options = useSignInOptionsQuery()
  const [register, { isLoading, error }] = useRegisterMutation()
  return (
    <DoorCard title={t('register.title')} lead={t('register.lead')}>
      {options.isLoading && <Skeleton active />}
      {options.data?.registration === false && <Alert type="info" showIcon title={t('register.closed')} />}
      {(options.data?.registration || options.isError) && (
        <NewcomerForm submit={t('register.submit')} busy={isLoading} error={error} onSubmit={(fields) => void register(fields)} />
      )}
      <Typography.Paragraph className="login-hint"><Link to={paths.login}>{t('login.back')}</Link></Typography.Paragraph>
    </DoorCard>
  )
}
