import { Alert, Flex, Typography } from 'antd'

import { CopyButton } from '@/components/copy-button'

/** What the hub shows this once, because it keeps only a hash of it. */
export function SecretOnce({ text, title, copy }: { text: string; title: string; copy: string }) {
  return (
    <>
      <Alert type="warning" showIcon title={title} />
      <Flex align="center" gap={8} className="secret">
        <Typography.Text code className="breakable">{text}</Typography.Text>
        <CopyButton text={text} label={copy} />
      </Flex>
    </>
  )
}
