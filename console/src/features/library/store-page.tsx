import { Card, Empty, Flex, Skeleton, Tag } from 'antd'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Link } from 'react-router'

import { ErrorNote } from '@/components/error-note'
import { LoadMore } from '@/components/load-more'
import { Page } from '@/components/page'
import { VisibilityTag } from '@/components/sharing/visibility-tag'
import { paths } from '@/config/paths'
import { bytes, count } from '@/lib/format'
import type { Model } from '@/types'

import { useModelsInfiniteQuery } from './api'
import { FilterBar } from './filter-bar'
import type { ModelFilters } from './filters'
import { ModelActions } from './model-actions'

const TAGS = 4

interface Props {
  onDeploy: (model: Model) => void
}

/** What is shared with everybody or with a team one is in: cards to choose from. */
export function StorePage({ onDeploy }: Props) {
  const { t } = useTranslation()
  const [filters, setFilters] = useState<ModelFilters>({ shared: true })
  const list = useModelsInfiniteQuery(filters)
  const items = list.currentData?.pages.flatMap((page) => page.items) ?? []
  return (
    <Page title={t('nav.store')} hint={t('store.hint')}>
      <FilterBar filters={filters} onChange={setFilters} store />
      {list.isError && <ErrorNote error={list.error} retry={() => void list.refetch()} />}
      {list.isLoading && <Skeleton active paragraph={{ rows: 6 }} aria-label={t('common.loading')} />}
      {list.currentData && items.length === 0 && <Empty image={Empty.PRESENTED_IMAGE_SIMPLE} description={t('store.none')} />}
      <ul className="cards" aria-label={t('nav.store')}>
        {items.map((model) => <ModelCard key={model.id} model={model} onDeploy={onDeploy} onTag={(tag) => setFilters({ ...filters, tag })} />)}
      </ul>
      <LoadMore more={list.hasNextPage} loading={list.isFetchingNextPage} onMore={() => void list.fetchNextPage()} />
    </Page>
  )
}

function ModelCard({ model, onDeploy, onTag }: { model: Model; onTag: (tag: string) => void } & Props) {
  const { t } = useTranslation()
  return (
    <li aria-label={model.name}>
      <Card
        size="small"
        title={<Link to={paths.model(model.id)}>{model.name}</Link>}
        extra={<Tag>{t(`kind.${model.kind}`)}</Tag>}
      >
        {model.description && <p className="row-text">{model.description}</p>}
        <div className="facts">
          <span>{bytes(model.size)}</span>
          {model.parameters !== null && <span>{t('model.parametersShort', { n: count(model.parameters) })}</span>}
          {(model.quantization ?? model.dtype) && <span>{model.quantization ?? model.dtype}</span>}
          {model.license && <span>{model.license}</span>}
          <VisibilityTag thing={model} />
        </div>
        <Flex gap={4} wrap className="row-alert">
          {model.tags.slice(0, TAGS).map((tag) => (
            <button key={tag} type="button" className="tag-button" title={t('store.byTag', { tag })} onClick={() => onTag(tag)}>{tag}</button>
          ))}
        </Flex>
        <Flex gap={8} className="row-alert"><ModelActions model={model} onDeploy={onDeploy} /></Flex>
      </Card>
    </li>
  )
}
