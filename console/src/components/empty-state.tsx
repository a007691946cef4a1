import { Empty, Flex, Typography } from 'antd'
import type { ReactNode } from 'react'

interface Props {
  title: string
  hint?: ReactNode
  children?: ReactNode
}

/** Nothing here yet: says so, says what to do, and offers it. */
export function EmptyState({ title, hint, children }: Props) {
  return (
    <Empty
      className="empty"
      image={Empty.PRESENTED_IMAGE_SIMPLE}
      description={
        <Flex vertical gap={4} align="center">
          <Typography.Text strong>{title}</Typography.Text>
          {hint && <Typography.Text type="secondary">{hint}</Typography.Text>}
        </Flex>
      }
    >
      {children}
    </Empty>
  )
}
