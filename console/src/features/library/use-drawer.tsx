import { Drawer, Typography } from 'antd'
import { useTranslation } from 'react-i18next'
import { Link } from 'react-router'

import { SnippetTabs } from '@/components/snippet-tabs'
import { paths } from '@/config/paths'
import { useMay } from '@/lib/hooks'

import { hubSnippets } from './hub-snippets'

/** How the Hugging Face Hub's clients use this hub as their Hub. */
export function UseDrawer({ hubRef, onClose }: { hubRef: string; onClose: () => void }) {
  const { t } = useTranslation()
  const mayUseKeys = useMay('keys.use')
  return (
    <Drawer open onClose={onClose} size="min(680px, 100vw)" title={t('library.useWith.title', { name: hubRef })}>
      <Typography.Paragraph>{t('library.useWith.lead')}</Typography.Paragraph>
      <SnippetTabs snippets={hubSnippets(window.location.origin, hubRef)} />
      <Typography.Paragraph type="secondary">
        {t('library.useWith.key')} {mayUseKeys && <Link to={paths.keys}>{t('keys.make')}</Link>}
      </Typography.Paragraph>
    </Drawer>
  )
}
