import { DownloadOutlined, ReloadOutlined, SafetyCertificateOutlined } from '@ant-design/icons'
import { Alert, Button, Dropdown, Flex } from 'antd'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'

import { ErrorNote } from '@/components/error-note'
import { fetchFile } from '@/lib/api-base-query'
import { saveAs } from '@/lib/file'
import { useAppStore } from '@/lib/hooks'
import { notices } from '@/lib/notify'
import type { AuditVerdict } from '@/types'

import { type AuditFilters, useLazyVerifyAuditQuery } from './api'

/** Read it again, take it along, and see whether anybody has tampered with it. */
export function AuditTools({ filters, onReload }: { filters: AuditFilters; onReload: () => void }) {
  const { t } = useTranslation()
  const store = useAppStore()
  const [busy, setBusy] = useState(false)
  const [verify, { data: verdict, error, isFetching }] = useLazyVerifyAuditQuery()

  const take = async (format: string) => {
    setBusy(true)
    const answer = await fetchFile({ url: 'audit/export', params: { ...filters, format } }, store)
    setBusy(false)
    if ('error' in answer) notices.failure(answer.error)
    else saveAs(answer.data, `audit-${new Date().toISOString().slice(0, 10)}.${format}`)
  }

  const title = ({ ok, entries, first_bad: n }: AuditVerdict) => {
    if (ok) return t('audit.intact', { count: entries })
    return n === null || n === undefined ? t('audit.notWhole') : t('audit.broken', { n })
  }

  return (
    <>
      <Flex gap={8} wrap>
        <Button icon={<ReloadOutlined />} onClick={onReload}>{t('actions.reload')}</Button>
        <Dropdown
          trigger={['click']}
          menu={{
            items: [{ key: 'jsonl', label: 'JSON Lines' }, { key: 'csv', label: 'CSV' }],
            onClick: ({ key }) => void take(key),
          }}
        >
          <Button icon={<DownloadOutlined />} loading={busy}>{t('audit.export')}</Button>
        </Dropdown>
        <Button icon={<SafetyCertificateOutlined />} loading={isFetching} onClick={() => void verify()}>{t('audit.verify')}</Button>
      </Flex>
      {error && !isFetching && <ErrorNote error={error} />}
      {verdict && !isFetching && (
        <Alert
          role="status"
          showIcon
          type={verdict.ok ? 'success' : 'error'}
          title={title(verdict)}
          description={verdict.ok ? undefined : verdict.reason}
        />
      )}
    </>
  )
}
