import { Flex, Typography } from 'antd'
import { type ReactNode, useEffect } from 'react'

interface Props {
  title: ReactNode
  /** The window's title where `title` is not plain text. */
  name?: string
  hint?: ReactNode
  actions?: ReactNode
  children: ReactNode
}

export function Page({ title, name, hint, actions, children }: Props) {
  const plain = name ?? (typeof title === 'string' ? title : 'ModelHub')
  useEffect(() => {
    document.title = `${plain} · ModelHub`
  }, [plain])
  return (
    <div className="page">
      <Flex justify="space-between" align="flex-start" gap={12} wrap className="page-head">
        <div>
          <Typography.Title level={1} className="page-title">{title}</Typography.Title>
          {hint && <Typography.Text type="secondary">{hint}</Typography.Text>}
        </div>
        {actions && <Flex gap={8} wrap>{actions}</Flex>}
      </Flex>
      {children}
    </div>
  )
}
