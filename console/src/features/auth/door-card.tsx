import { Card, Typography } from 'antd'
import { type ReactNode, useEffect } from 'react'

/** The frame of every page before the door: the name, one sentence, one form. */
export function DoorCard({ title, lead, children }: { title: string; lead: ReactNode; children: ReactNode }) {
  useEffect(() => {
    document.title = `${title} · ModelHub`
  }, [title])
  return (
    <main className="login">
      <Card className="login-card">
        <div className="login-brand">
          <img src="/favicon.svg" alt="" width={44} height={44} />
          <Typography.Title level={1}>ModelHub</Typography.Title>
          <Typography.Text type="secondary">{lead}</Typography.Text>
        </div>
        {children}
      </Card>
    </main>
  )
}
