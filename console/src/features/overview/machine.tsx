import { Badge, Progress, Typography } from 'antd'
import { useTranslation } from 'react-i18next'

import { bytes, percent } from '@/lib/format'
import type { System } from '@/types'

function Gauge({ label, value, text }: { label: string; value: number; text: string }) {
  return (
    <div className="gauge">
      <div className="gauge-text">
        <span>{label}</span>
        <Typography.Text type="secondary">{text}</Typography.Text>
      </div>
      <Progress percent={value} showInfo={false} status={value >= 90 ? 'exception' : 'normal'} aria-label={label} size="small" />
    </div>
  )
}

export function Machine({ system }: { system: System }) {
  const { t } = useTranslation()
  const { disk, memory, cpu, gpu } = system
  const free = (part: { free: number; total: number }) => t('overview.free', { free: bytes(part.free), total: bytes(part.total) })
  return (
    <>
      <Gauge label={t('overview.disk')} value={percent(disk.total - disk.free, disk.total)} text={free(disk)} />
      <Gauge label={t('overview.memory')} value={percent(memory.total - memory.free, memory.total)} text={free(memory)} />
      <Gauge label={t('overview.cpu')} value={Math.round(cpu.percent)} text={t('overview.cores', { count: cpu.cores })} />
      {gpu.map(({ index, name, memory: own }) => (
        <Gauge key={index} label={`GPU ${index} · ${name}`} value={percent(own.used, own.total)} text={free(own)} />
      ))}
    </>
  )
}

const BADGE = { ok: 'success', down: 'error', unknown: 'default' } as const

export function Parts({ system }: { system: System }) {
  const { t } = useTranslation()
  return (
    <ul className="parts">
      {Object.entries(system.parts).map(([name, { status, detail }]) => (
        <li key={name}>
          <Badge status={BADGE[status]} text={t(`overview.part.${name}`, { defaultValue: name })} />
          <Typography.Text type="secondary">{detail || t(`overview.state.${status}`)}</Typography.Text>
        </li>
      ))}
    </ul>
  )
}
