import { DownloadOutlined, HeartOutlined, LockOutlined } from '@ant-design/icons'
import { Tag, Tooltip } from 'antd'
import { useTranslation } from 'react-i18next'

import { bytes, count } from '@/lib/format'
import { useDates } from '@/lib/hooks'
import type { FoundModel } from '@/types'

interface Props {
  items: FoundModel[]
  onOpen: (ref: string) => void
}

export function FoundList({ items, onOpen }: Props) {
  const { t } = useTranslation()
  return (
    <ul className="rows" aria-label={t('search.results')}>
      {items.map((item) => (
        <li key={item.ref} className="row row-link">
          <button type="button" className="row-open" onClick={() => onOpen(item.ref)} aria-label={item.ref}>
            <span className="row-title">
              {item.name && item.name !== item.ref ? item.name : item.ref}
              {(item.gated || item.private) && (
                <Tooltip title={t('search.gated')}><LockOutlined aria-label={t('search.gated')} className="row-mark" /></Tooltip>
              )}
            </span>
            {item.name && item.name !== item.ref && <span className="row-sub">{item.ref}</span>}
            {item.description && <span className="row-text">{item.description}</span>}
            <Facts item={item} />
          </button>
        </li>
      ))}
    </ul>
  )
}

function Facts({ item }: { item: FoundModel }) {
  const { t } = useTranslation()
  const dates = useDates()
  return (
    <span className="facts">
      {item.task && <Tag>{item.task}</Tag>}
      {item.library && <Tag>{item.library}</Tag>}
      {item.license && <Tag>{item.license}</Tag>}
      {item.parameters !== null && item.parameters !== undefined && <span>{t('model.parametersShort', { n: count(item.parameters) })}</span>}
      {item.size !== null && item.size !== undefined && <span>{bytes(item.size)}</span>}
      {item.downloads !== null && item.downloads !== undefined && (
        <span title={t('search.sorts.downloads')}><DownloadOutlined aria-label={t('search.sorts.downloads')} /> {count(item.downloads)}</span>
      )}
      {item.likes !== null && item.likes !== undefined && (
        <span title={t('search.sorts.likes')}><HeartOutlined aria-label={t('search.sorts.likes')} /> {count(item.likes)}</span>
      )}
      {item.updated_at && <span title={dates.moment(item.updated_at)}>{dates.ago(item.updated_at)}</span>}
    </span>
  )
}
