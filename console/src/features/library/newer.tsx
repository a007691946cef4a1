import { CloudDownloadOutlined } from '@ant-design/icons'
import { Alert, Button, Collapse, Flex, Tag, Tooltip } from 'antd'
import { useTranslation } from 'react-i18next'

import { ErrorNote } from '@/components/error-note'
import { bytes } from '@/lib/format'
import { useDates, useMay, useMayChange } from '@/lib/hooks'
import type { Model, Newer } from '@/types'

import { useUpdateModelMutation } from './api'

/** In a list: that there is something newer. */
export function NewerTag({ model }: { model: Model }) {
  const { t } = useTranslation()
  if (!model.newer) return null
  return (
    <Tooltip title={t('newer.toFetch', { size: bytes(model.newer.bytes_to_fetch) })}>
      <Tag color="blue" icon={<CloudDownloadOutlined />}>{t('newer.tag')}</Tag>
    </Tooltip>
  )
}

/** On a model's page: what its source has, file by file, and the button that brings it in. */
export function NewerAlert({ model, onUpdating }: { model: Model; onUpdating: () => void }) {
  const { t } = useTranslation()
  const dates = useDates()
  const mayUpdate = useMay('downloads.write')
  const mayChange = useMayChange(model)
  const [update, { isLoading, error }] = useUpdateModelMutation()
  const { newer } = model
  if (!newer) return null
  const start = async () => {
    if (!(await update(model.id)).error) onUpdating()
  }
  return (
    <Alert
      type="info"
      showIcon
      className="row-alert"
      title={t('newer.title', { commit: newer.commit.slice(0, 12), when: dates.ago(newer.checked_at) })}
      description={
        <>
          <Flex justify="space-between" gap={12} wrap align="center">
            <span>{t('newer.counts', { added: newer.added, removed: newer.removed, changed: newer.changed, same: newer.same })}</span>
            {mayUpdate && mayChange && (
              <Button type="primary" loading={isLoading} onClick={() => void start()}>
                {t('newer.update', { size: bytes(newer.bytes_to_fetch) })}
              </Button>
            )}
          </Flex>
          <Collapse ghost size="small" items={[{ key: 'files', label: t('newer.files'), children: <NewerFiles newer={newer} /> }]} />
          {error && <ErrorNote error={error} />}
        </>
      }
    />
  )
}

function NewerFiles({ newer }: { newer: Newer }) {
  const { t } = useTranslation()
  const marks = { added: '+', removed: '−', changed: '~' } as const
  return (
    <ul className="diff" aria-label={t('newer.files')}>
      {(['added', 'removed', 'changed'] as const).flatMap((how) =>
        newer.files[how].map((file) => (
          <li key={how + file.path} className={`diff-${how}`}>
            <code>{marks[how]} {file.path}</code> {file.size !== null && bytes(file.size)}
          </li>
        )),
      )}
    </ul>
  )
}
