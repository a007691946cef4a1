import { PlusOutlined, SearchOutlined } from '@ant-design/icons'
import { Flex, Skeleton, Tag } from 'antd'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Link } from 'react-router'

import { EmptyState } from '@/components/empty-state'
import { ErrorNote } from '@/components/error-note'
import { LinkButton } from '@/components/link-button'
import { LoadMore } from '@/components/load-more'
import { Page } from '@/components/page'
import { VisibilityTag } from '@/components/sharing/visibility-tag'
import { paths } from '@/config/paths'
import { bytes, count, originOf } from '@/lib/format'
import { useDates, useMay } from '@/lib/hooks'
import type { Model } from '@/types'

import { useModelsInfiniteQuery } from './api'
import { FilterBar } from './filter-bar'
import { type ModelFilters, narrowed } from './filters'
import { ModelActions } from './model-actions'
import { NewerTag } from './newer'

interface Props {
  onDeploy: (model: Model) => void
}

export function LibraryPage({ onDeploy }: Props) {
  const { t } = useTranslation()
  const mayAdd = useMay('downloads.write')
  const [filters, setFilters] = useState<ModelFilters>({})
  const list = useModelsInfiniteQuery(filters)
  const q = narrowed(filters)
  const items = list.currentData?.pages.flatMap((page) => page.items) ?? []
  return (
    <Page
      title={t('nav.library')}
      hint={t('library.hint')}
      actions={
        <Flex gap={8} wrap>
          <LinkButton to={paths.search} icon={<SearchOutlined />}>{t('downloads.find')}</LinkButton>
          {mayAdd && <LinkButton to={paths.add} icon={<PlusOutlined />}>{t('nav.add')}</LinkButton>}
        </Flex>
      }
    >
      {(items.length > 0 || q) && (
        <FilterBar filters={filters} onChange={setFilters} />
      )}
      {list.isError && <ErrorNote error={list.error} retry={() => void list.refetch()} />}
      {list.isLoading && <Skeleton active paragraph={{ rows: 6 }} aria-label={t('common.loading')} />}
      {list.currentData && items.length === 0 && (
        <EmptyState title={q ? t('search.none') : t('library.none')} hint={q ? undefined : t('library.noneHint')}>
          {!q && <LinkButton to={paths.search} type="primary" icon={<SearchOutlined />}>{t('downloads.find')}</LinkButton>}
        </EmptyState>
      )}
      {items.length > 0 && (
        <ul className="rows" aria-label={t('nav.library')}>
          {items.map((model) => <ModelRow key={model.id} model={model} onDeploy={onDeploy} />)}
        </ul>
      )}
      <LoadMore more={list.hasNextPage} loading={list.isFetchingNextPage} onMore={() => void list.fetchNextPage()} />
    </Page>
  )
}

function ModelRow({ model, onDeploy }: { model: Model } & Props) {
  const { t } = useTranslation()
  const dates = useDates()
  return (
    <li className="row" aria-label={model.name}>
      <Flex justify="space-between" gap={12} wrap align="center">
        <div className="row-main">
          <div className="row-title">
            <Link to={paths.model(model.id)}>{model.name}</Link> <Tag>{t(`kind.${model.kind}`)}</Tag> <VisibilityTag thing={model} /> <NewerTag model={model} />
            {model.offloaded && <Tag>{t('library.offloaded')}</Tag>}
          </div>
          <div className="row-sub">{originOf(model)}</div>
          <div className="facts">
            <span>{bytes(model.size)}</span>
            {model.parameters !== null && <span>{t('model.parametersShort', { n: count(model.parameters) })}</span>}
            {model.architecture && <span>{model.architecture}</span>}
            {(model.quantization ?? model.dtype) && <span>{model.quantization ?? model.dtype}</span>}
            {model.license && <span>{model.license}</span>}
            <span title={dates.moment(model.created_at)}>{dates.ago(model.created_at)}</span>
          </div>
        </div>
        <Flex gap={8} className="row-actions">
          <ModelActions model={model} onDeploy={onDeploy} />
        </Flex>
      </Flex>
    </li>
  )
}
