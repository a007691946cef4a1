import { Alert } from 'antd'
import { useTranslation } from 'react-i18next'

import { LinkButton } from '@/components/link-button'
import { paths } from '@/config/paths'
import { useMay } from '@/lib/hooks'
import type { Model } from '@/types'

/** That weights are kept back, and what of a model is code, which the hub does not run. */
export function IntakeAlerts({ model }: { model: Model }) {
  const { t } = useTranslation()
  const mayRelease = useMay('intake.release')
  return (
    <>
      {model.status === 'quarantined' && (
        <Alert
          type="error"
          showIcon
          className="row-alert"
          title={t('quarantine.modelHeld')}
          description={mayRelease ? t('quarantine.modelHeldMay') : t('quarantine.modelHeldAsk')}
          action={mayRelease && <LinkButton size="small" to={`${paths.quarantine}?model=${model.id}`}>{t('quarantine.see')}</LinkButton>}
        />
      )}
      {model.remote_code.length > 0 && (
        <Alert
          type="info"
          showIcon
          className="row-alert"
          title={t('quarantine.code')}
          description={<ul className="findings">{model.remote_code.map((code) => <li key={code} className="breakable">{code}</li>)}</ul>}
        />
      )}
    </>
  )
}
