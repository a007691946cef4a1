import { Alert, Button, Flex } from 'antd'
import { useTranslation } from 'react-i18next'

import { LinkButton } from '@/components/link-button'
import { paths } from '@/config/paths'
import { useMay } from '@/lib/hooks'
import type { Download } from '@/types'

import { useSetDownloadMutation } from './api'

/** Why it is held, and what to do about it. */
export function WaitingNote({ download }: { download: Download }) {
  const { t } = useTranslation()
  const [set, { isLoading }] = useSetDownloadMutation()
  const mayManage = useMay('settings.manage')
  const { waiting, name } = download
  if (!waiting) return null
  return (
    <Alert
      className="row-alert"
      type="warning"
      showIcon
      title={waiting.message}
      description={
        <Flex gap={8} wrap>
          {waiting.code === 'OUT_OF_SPACE' && <LinkButton size="small" to={paths.storage}>{t('queue.makeRoom')}</LinkButton>}
          {waiting.code === 'OUTSIDE_HOURS' && mayManage && (
            <Button
              size="small"
              loading={isLoading}
              aria-label={t('queue.nowName', { name })}
              onClick={() => void set({ id: download.id, body: { any_time: true } })}
            >
              {t('queue.now')}
            </Button>
          )}
        </Flex>
      }
    />
  )
}
