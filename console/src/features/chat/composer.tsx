import { ArrowUpOutlined, StopOutlined } from '@ant-design/icons'
import { Button, Input } from 'antd'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'

interface Props {
  /** Resolves to true when the message was taken; else the text stays. */
  onSend: (content: string) => Promise<boolean>
  /** Given while an answer is being written: the button stops it. */
  onStop?: () => void
  disabled?: boolean
  autoFocus?: boolean
}

/** Enter sends, Shift+Enter breaks the line; Enter that ends an input method's composition does neither. */
export function Composer({ onSend, onStop, disabled = false, autoFocus = false }: Props) {
  const { t } = useTranslation()
  const [text, setText] = useState('')
  const [busy, setBusy] = useState(false)
  const ready = text.trim() !== '' && !busy && !disabled && !onStop

  const send = async () => {
    if (!ready) return
    setBusy(true)
    try {
      if (await onSend(text.trim())) setText('')
    } finally {
      setBusy(false)
    }
  }

  return (
    <div className="composer">
      <Input.TextArea
        aria-label={t('chat.message')}
        placeholder={t('chat.placeholder')}
        autoSize={{ minRows: 1, maxRows: 10 }}
        variant="borderless"
        autoFocus={autoFocus}
        disabled={disabled}
        value={text}
        onChange={(event) => setText(event.target.value)}
        onPressEnter={(event) => {
          if (event.shiftKey || event.nativeEvent.isComposing) return
          event.preventDefault()
          void send()
        }}
      />
      {onStop ? (
        <Button shape="circle" icon={<StopOutlined />} aria-label={t('chat.stop')} title={t('chat.stop')} onClick={onStop} />
      ) : (
        <Button
          type="primary" shape="circle" icon={<ArrowUpOutlined />} aria-label={t('chat.send')} title={t('chat.send')}
          disabled={!ready} loading={busy} onClick={() => void send()}
        />
      )}
    </div>
  )
}
