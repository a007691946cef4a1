import { Alert, Button, Flex, Modal, Typography } from 'antd'
import type { ReactNode } from 'react'
import { useTranslation } from 'react-i18next'

import { CopyButton } from '@/components/copy-button'

interface Props {
  title: string
  /** Why it has to be copied now. */
  warning: string
  text: string
  copy: string
  onClose: () => void
  children?: ReactNode
}

/** What the hub shows this once, because it keeps only a hash of it: a click beside the dialog does not lose it. */
export function SecretOnce({ title, warning, text, copy, onClose, children }: Props) {
  const { t } = useTranslation()
  return (
    <Modal
      open
      title={title}
      mask={{ closable: false }}
      onCancel={onClose}
      footer={<Button type="primary" onClick={onClose}>{t('actions.done')}</Button>}
    >
      <Alert type="warning" showIcon title={warning} />
      <Flex align="center" gap={8} className="secret">
        <Typography.Text code className="breakable">{text}</Typography.Text>
        <CopyButton text={text} label={copy} />
      </Flex>
      {children && <Typography.Text type="secondary">{children}</Typography.Text>}
    </Modal>
  )
}
