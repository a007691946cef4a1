import { DeleteOutlined, UnlockOutlined } from '@ant-design/icons'
import { Button, Descriptions, Drawer, Flex, Popconfirm, Tag, Typography } from 'antd'
import { type ReactNode, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Link } from 'react-router'

import { ErrorNote } from '@/components/error-note'
import { paths } from '@/config/paths'
import { bytes } from '@/lib/format'
import { useDates } from '@/lib/hooks'
import type { Quarantined } from '@/types'

import { useDiscardMutation } from './api'
import { ReleaseDialog } from './release-dialog'
import { bySeverity, SeverityTag } from './severity'

/** What was found in one file, in words, and what can be done with it. */
export function FileDrawer({ file, onClose }: { file: Quarantined; onClose: () => void }) {
  const { t } = useTranslation()
  const dates = useDates()
  const [releasing, setReleasing] = useState(false)
  const [discard, { isLoading, error }] = useDiscardMutation()
  const remove = async () => {
    if (!('error' in (await discard(file.id)))) onClose()
  }
  const facts: [string, ReactNode][] = [
    ['model', <Link key="model" to={paths.model(file.model_id)}>{file.model_name}</Link>],
    ['size', bytes(file.size)],
    ['sum', file.sha256 && <code className="breakable">{file.sha256}</code>],
    ['decision', <Tag key="decision">{t(`quarantine.status.${file.status}`)}</Tag>],
    ['decided', file.decided_at && dates.moment(file.decided_at)],
    ['reason', file.reason],
  ]
  return (
    <Drawer open onClose={onClose} size="min(640px, 100vw)" title={<span className="breakable">{file.path}</span>}>
      <Descriptions
        bordered
        size="small"
        column={1}
        items={facts.filter(([, value]) => value).map(([key, children]) => ({ key, label: t(`quarantine.${key}`), children }))}
      />
      <Typography.Title level={5}>{t('quarantine.found')}</Typography.Title>
      <ul className="findings" aria-label={t('quarantine.found')}>
        {bySeverity(file.findings).map(({ scanner, severity, message }) => (
          <li key={`${scanner} ${message}`}>
            <SeverityTag severity={severity} /> <span className="breakable">{message}</span>{' '}
            <Typography.Text type="secondary">{t('quarantine.by', { scanner })}</Typography.Text>
          </li>
        ))}
      </ul>
      {error && <ErrorNote error={error} />}
      {file.status === 'held' && (
        <Flex gap={8} wrap>
          <Button icon={<UnlockOutlined />} onClick={() => setReleasing(true)}>{t('quarantine.release')}</Button>
          <Popconfirm
            title={t('quarantine.deleteAsk', { path: file.path })}
            okText={t('quarantine.deleteIt')}
            okButtonProps={{ danger: true }}
            cancelText={t('actions.keep')}
            onConfirm={() => void remove()}
          >
            <Button danger icon={<DeleteOutlined />} loading={isLoading}>{t('quarantine.delete')}</Button>
          </Popconfirm>
        </Flex>
      )}
      {releasing && <ReleaseDialog file={file} onReleased={onClose} onClose={() => setReleasing(false)} />}
    </Drawer>
  )
}
