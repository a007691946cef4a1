import { Tag } from 'antd'
import { useTranslation } from 'react-i18next'

import type { Quarantined } from '@/types'

type Severity = Quarantined['findings'][number]['severity']

const WORST_FIRST: Severity[] = ['dangerous', 'suspicious', 'unknown', 'none']
const COLOURS: Record<Severity, string> = { dangerous: 'error', suspicious: 'warning', unknown: 'default', none: 'success' }

export const bySeverity = (findings: Quarantined['findings']) =>
  [...findings].sort((a, b) => WORST_FIRST.indexOf(a.severity) - WORST_FIRST.indexOf(b.severity))

export function SeverityTag({ severity }: { severity: Severity }) {
  const { t } = useTranslation()
  return <Tag color={COLOURS[severity]}>{t(`quarantine.severity.${severity}`)}</Tag>
}
