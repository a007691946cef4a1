import { ShareAltOutlined } from '@ant-design/icons'
import { Button } from 'antd'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'

import { useMayChange } from '@/lib/hooks'

import { ShareDialog, type ShareProps } from './share-dialog'

/** Opens the dialog that says who else sees something; not there for what one may only see. `onClosed` forgets a failure. */
export function ShareButton({ onClosed, ...dialog }: ShareProps & { onClosed: () => void }) {
  const { t } = useTranslation()
  const [open, setOpen] = useState(false)
  if (!useMayChange(dialog.thing)) return null
  const close = () => {
    setOpen(false)
    onClosed()
  }
  return (
    <>
      <Button
        type="text"
        icon={<ShareAltOutlined />}
        title={t('sharing.share')}
        aria-label={t('sharing.shareName', { name: dialog.thing.name })}
        onClick={() => setOpen(true)}
      />
      {open && <ShareDialog {...dialog} onClose={close} />}
    </>
  )
}
