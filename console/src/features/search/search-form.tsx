import { Flex, Input, Select } from 'antd'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'

import { WordFilter } from '@/components/word-filter'
import type { Source } from '@/types'

import type { SearchFilters } from './api'
import { LANGUAGES, LIBRARIES, LICENSES, NO_FILTERS, SIZES, SORTS, TASKS } from './filters'

interface Props {
  filters: SearchFilters
  sources: Source[]
  onChange: (changes: Partial<SearchFilters>) => void
}

export function SearchForm({ filters, sources, onChange }: Props) {
  const { t } = useTranslation()
  const [text, setText] = useState(filters.q ?? '')
  const chosen = sources.find(({ name }) => name === filters.source)
  const narrow = chosen?.searchable ?? true
  const words = (name: 'task' | 'library' | 'license' | 'author' | 'language' | 'tags', known: string[]) => (
    <WordFilter
      key={`${name} ${filters[name] ?? ''}`}
      label={t(`search.${name}`)}
      value={filters[name]}
      words={known}
      onChange={(value) => onChange({ [name]: value })}
    />
  )
  return (
    <search className="search-form">
      <Flex gap={8} wrap>
        <Select
          className="filter-source"
          aria-label={t('search.source')}
          value={filters.source}
          options={sources.map(({ name, title }) => ({ value: name, label: title }))}
          onChange={(source) => onChange({ ...NO_FILTERS, source })}
          size="large"
        />
        <Input.Search
          className="filter-text"
          aria-label={t('search.text')}
          placeholder={t('search.placeholder')}
          value={text}
          onChange={(event) => setText(event.target.value)}
          onSearch={(q) => onChange({ q: q.trim() })}
          enterButton={t('search.submit')}
          allowClear
          size="large"
        />
      </Flex>
      {narrow && (
        <Flex gap={8} wrap className="filters">
          {words('task', TASKS)}
          {words('library', LIBRARIES)}
          {words('license', LICENSES)}
          {words('author', [])}
          {words('language', LANGUAGES)}
          {words('tags', [])}
          <Select
            className="filter"
            aria-label={t('search.parameters')}
            placeholder={t('search.parameters')}
            allowClear
            value={chosenSize(filters)}
            options={SIZES.map(([from, to]) => ({ value: `${from ?? ''}-${to ?? ''}`, label: sizeText(from, to) }))}
            onChange={(size?: string) => onChange(sizeFilters(size))}
          />
          <Select
            className="filter"
            aria-label={t('search.access')}
            placeholder={t('search.access')}
            allowClear
            value={filters.gated}
            options={[{ value: 'false', label: t('search.openOnly') }, { value: 'true', label: t('search.gatedOnly') }]}
            onChange={(gated?: string) => onChange({ gated: gated ?? '' })}
          />
          <Select
            className="filter"
            aria-label={t('search.sort')}
            placeholder={t('search.sort')}
            allowClear
            value={filters.sort}
            options={SORTS.map((value) => ({ value, label: t(`search.sorts.${value}`) }))}
            onChange={(sort) => onChange({ sort: sort ?? '' })}
          />
        </Flex>
      )}
    </search>
  )
}

const BILLION = 1_000_000_000

const sizeText = (from: number | null, to: number | null) =>
  from === null ? `< ${to}B` : to === null ? `> ${from}B` : `${from}–${to}B`

/** The range in the address as one of the choices; another range, typed into the address, is shown as it is. */
function chosenSize({ min_parameters: min, max_parameters: max }: SearchFilters): string | undefined {
  if (!min && !max) return undefined
  const billions = (text?: string) => (text ? Number(text) / BILLION : '')
  return `${billions(min)}-${billions(max)}`
}

function sizeFilters(size?: string): Partial<SearchFilters> {
  const [from, to] = (size ?? '-').split('-')
  const whole = (text?: string) => (text ? String(Number(text) * BILLION) : '')
  return { min_parameters: whole(from), max_parameters: whole(to) }
}
