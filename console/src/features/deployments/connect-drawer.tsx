import { Drawer, Typography } from 'antd'
import { useTranslation } from 'react-i18next'
import { Link } from 'react-router'

import { SnippetTabs } from '@/components/snippet-tabs'
import { paths } from '@/config/paths'
import { useMay } from '@/lib/hooks'
import type { Deployment } from '@/types'

import { snippets } from './snippets'

/** How a program talks to this deployment: through the hub's OpenAI-compatible door. */
export function ConnectDrawer({ deployment, onClose }: { deployment: Deployment; onClose: () => void }) {
  const { t } = useTranslation()
  const mayUseKeys = useMay('keys.use')
  return (
    <Drawer open onClose={onClose} size="min(680px, 100vw)" title={t('connect.title', { name: deployment.name })}>
      <Typography.Paragraph>{t('connect.lead')}</Typography.Paragraph>
      <SnippetTabs snippets={snippets(window.location.origin, deployment.name)} />
      <Typography.Paragraph type="secondary">
        {t('connect.token')} {mayUseKeys && <Link to={paths.keys}>{t('keys.make')}</Link>}
      </Typography.Paragraph>
    </Drawer>
  )
}
