import { Button } from 'antd'
import { useTranslation } from 'react-i18next'

interface Props {
  more: boolean
  loading: boolean
  onMore: () => void
}

export function LoadMore({ more, loading, onMore }: Props) {
  const { t } = useTranslation()
  if (!more) return null
  return (
    <div className="load-more">
      <Button onClick={onMore} loading={loading}>{t('actions.more')}</Button>
    </div>
  )
}
