import { CheckOutlined, CopyOutlined } from '@ant-design/icons'
import { Button, Tooltip } from 'antd'
import { useEffect, useState } from 'react'
import { useTranslation } from 'react-i18next'

/** The clipboard, also where the page came over plain HTTP and the modern interface is missing. */
async function copy(text: string): Promise<void> {
  if (navigator.clipboard) return navigator.clipboard.writeText(text)
  const area = document.createElement('textarea')
  area.value = text
  document.body.append(area)
  area.select()
  document.execCommand('copy')
  area.remove()
}

interface Props {
  text: string | (() => string)
  label?: string
}

export function CopyButton({ text, label }: Props) {
  const { t } = useTranslation()
  const [copied, setCopied] = useState(false)
  useEffect(() => {
    if (!copied) return
    const timer = setTimeout(() => setCopied(false), 1500)
    return () => clearTimeout(timer)
  }, [copied])
  const name = label ?? t('actions.copy')
  return (
    <Tooltip title={copied ? t('actions.copied') : name}>
      <Button
        type="text"
        size="small"
        className="copy"
        aria-label={name}
        icon={copied ? <CheckOutlined /> : <CopyOutlined />}
        onClick={() => void copy(typeof text === 'string' ? text : text()).then(() => setCopied(true))}
      />
    </Tooltip>
  )
}
