import { Descriptions, Progress, Typography } from 'antd'
import { useTranslation } from 'react-i18next'

import { bytes, percent } from '@/lib/format'
import type { Storage } from '@/types'

/** Each disk with what is used and promised, and what the hub's own things take. */
export function Disks({ storage }: { storage: Storage }) {
  const { t } = useTranslation()
  const { use } = storage
  const shared = use.models - use.blobs
  return (
    <>
      {storage.filesystems.map((disk) => (
        <div className="gauge" key={disk.path}>
          <div className="gauge-text">
            <Typography.Text code>{disk.path}</Typography.Text>
            <Typography.Text type="secondary">{t('overview.free', { free: bytes(disk.free), total: bytes(disk.total) })}</Typography.Text>
          </div>
          <Progress
            aria-label={t('storage.usedOf', { path: disk.path })}
            percent={percent(disk.total - disk.available, disk.total)}
            success={{ percent: percent(disk.used, disk.total), strokeColor: 'var(--ant-color-primary)' }}
            strokeColor="var(--ant-color-warning)"
            showInfo={false}
            size="small"
          />
          <div className="facts">
            <span>{t('storage.holds', { folders: disk.folders.map((name) => t(`storage.folder.${name}`)).join(', ') })}</span>
            <span>{t('storage.promised', { size: bytes(disk.reserved) })}</span>
            <span>{t('storage.kept', { size: bytes(disk.reserve) })}</span>
            <span>{t('storage.available', { size: bytes(disk.available) })}</span>
          </div>
        </div>
      ))}
      <Descriptions
        className="row-alert"
        size="small"
        column={{ xs: 1, md: 2 }}
        items={[
          { key: 'blobs', label: t('storage.folder.models'), children: bytes(use.blobs) },
          { key: 'shared', label: t('storage.saved'), children: bytes(Math.max(0, shared)) },
          { key: 'incoming', label: t('storage.folder.incoming'), children: bytes(use.incoming) },
          { key: 'uploads', label: t('storage.folder.uploads'), children: bytes(use.uploads) },
        ]}
      />
    </>
  )
}
