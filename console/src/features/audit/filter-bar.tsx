import { Flex, Input, Select } from 'antd'
import { useTranslation } from 'react-i18next'

import { WordFilter } from '@/components/word-filter'

import { ACTIONS, PERIODS, RESULTS, type useAuditFilters } from './filters'

type Props = Pick<ReturnType<typeof useAuditFilters>, 'change' | 'value'>

export function FilterBar({ change, value }: Props) {
  const { t } = useTranslation()
  const period = value('period') ?? 'ever'
  const word = (name: 'actor' | 'action' | 'object_id' | 'address' | 'request_id', words: string[] = []) => (
    <WordFilter
      key={`${name} ${value(name) ?? ''}`}
      label={t(`audit.${name}`)}
      value={value(name)}
      words={words}
      onChange={(text) => change({ [name]: text })}
    />
  )
  return (
    <search className="search-form">
      <Flex gap={8} wrap>
        <Input.Search
          className="filter-text"
          aria-label={t('audit.search')}
          placeholder={t('audit.search')}
          defaultValue={value('q')}
          allowClear
          onSearch={(q) => change({ q: q.trim() })}
        />
        <Select
          className="filter"
          aria-label={t('audit.result')}
          placeholder={t('audit.result')}
          allowClear
          value={value('result')}
          onChange={(result?: string) => change({ result })}
          options={RESULTS.map((name) => ({ value: name, label: t(`status.${name}`) }))}
        />
        <Select
          className="filter"
          aria-label={t('audit.period')}
          value={period}
          onChange={(next: string) => change({ period: next === 'ever' ? undefined : next, from: undefined, to: undefined })}
          options={[...Object.keys(PERIODS), 'custom'].map((name) => ({ value: name, label: t(`audit.periods.${name}`) }))}
        />
      </Flex>
      <Flex gap={8} wrap className="filters">
        {word('actor')}
        {word('action', ACTIONS)}
        {word('object_id')}
        {word('address')}
        {word('request_id')}
      </Flex>
      {period === 'custom' && (
        <Flex gap={8} wrap className="filters">
          <Input type="datetime-local" className="filter" aria-label={t('audit.from')} value={value('from') ?? ''} onChange={({ target }) => change({ from: target.value })} />
          <Input type="datetime-local" className="filter" aria-label={t('audit.to')} value={value('to') ?? ''} onChange={({ target }) => change({ to: target.value })} />
        </Flex>
      )}
    </search>
  )
}
