import { Flex, Input, Select, Skeleton } from 'antd'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'

import { EmptyState } from '@/components/empty-state'
import { ErrorNote } from '@/components/error-note'
import { LoadMore } from '@/components/load-more'
import { useRolesQuery } from '@/lib/directory'

import { type UserFilters, useUsersInfiniteQuery } from './api'
import { UserRow } from './user-row'

export function UserList() {
  const { t } = useTranslation()
  const [filters, setFilters] = useState<UserFilters>({})
  const roles = useRolesQuery()
  const list = useUsersInfiniteQuery(filters)
  const items = list.currentData?.pages.flatMap((page) => page.items) ?? []
  const change = (changes: UserFilters) => setFilters((before) => ({ ...before, ...changes }))
  return (
    <Flex vertical gap={12}>
      <Flex gap={8} wrap role="search">
        <Input.Search
          className="filter-text"
          aria-label={t('users.search')}
          placeholder={t('users.search')}
          allowClear
          onSearch={(q) => change({ q: q.trim() })}
        />
        <Select
          className="filter"
          aria-label={t('users.role')}
          placeholder={t('users.role')}
          allowClear
          value={filters.role}
          onChange={(role?: string) => change({ role })}
          options={roles.data?.map(({ name, title }) => ({ value: name, label: title }))}
        />
        <Select
          className="filter"
          aria-label={t('users.state')}
          placeholder={t('users.state')}
          allowClear
          value={filters.active}
          onChange={(active?: boolean) => change({ active })}
          options={[{ value: true, label: t('status.active') }, { value: false, label: t('status.deactivated') }]}
        />
      </Flex>
      {list.isError && <ErrorNote error={list.error} retry={() => void list.refetch()} />}
      {!list.currentData && !list.isError && <Skeleton active paragraph={{ rows: 6 }} aria-label={t('common.loading')} />}
      {list.currentData && items.length === 0 && <EmptyState title={t('search.none')} hint={t('search.noneHint')} />}
      {items.length > 0 && (
        <ul className="rows" aria-label={t('nav.users')}>
          {items.map((item) => <UserRow key={item.id} user={item} roles={roles.data ?? []} />)}
        </ul>
      )}
      <LoadMore more={list.hasNextPage} loading={list.isFetchingNextPage} onMore={() => void list.fetchNextPage()} />
    </Flex>
  )
}
