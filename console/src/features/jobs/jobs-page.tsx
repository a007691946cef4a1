import { Button, Select, Table, Tooltip } from 'antd'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'

import { ErrorNote } from '@/components/error-note'
import { LoadMore } from '@/components/load-more'
import { Page } from '@/components/page'
import { StatusTag } from '@/components/status-tag'
import { duration } from '@/lib/format'
import { useDates, useMay } from '@/lib/hooks'
import type { Job } from '@/types'

import { useChangeJobMutation, useJobsInfiniteQuery } from './api'

const STATES = ['queued', 'running', 'paused', 'completed', 'failed', 'cancelled']

function lasted({ started_at: from, finished_at: to }: Job): string {
  if (!from) return '–'
  return duration(((to ? new Date(to).getTime() : Date.now()) - new Date(from).getTime()) / 1000)
}

/** The ledger as it is: what the hub works on, and what became of it. */
export function JobsPage() {
  const { t } = useTranslation()
  const dates = useDates()
  const [state, setState] = useState<string>()
  const list = useJobsInfiniteQuery({ state }, { pollingInterval: 5000, skipPollingIfUnfocused: true })
  const mayWrite = useMay('jobs.write')
  const [change] = useChangeJobMutation()
  const act = (id: string, action: 'cancel' | 'retry') => (
    <Button size="small" onClick={() => void change({ id, action })}>{t(`jobs.${action}`)}</Button>
  )
  return (
    <Page title={t('nav.jobs')} hint={t('jobs.hint')}>
      <Select
        className="narrow"
        aria-label={t('jobs.state')}
        placeholder={t('jobs.state')}
        allowClear
        value={state}
        onChange={setState}
        options={STATES.map((value) => ({ value, label: t(`status.${value}`) }))}
      />
      {list.isError && <ErrorNote error={list.error} retry={() => void list.refetch()} />}
      <Table<Job>
        rowKey="id"
        size="middle"
        pagination={false}
        loading={list.isLoading}
        scroll={{ x: 720 }}
        locale={{ emptyText: t('jobs.none') }}
        dataSource={list.currentData?.pages.flatMap((page) => page.items) ?? []}
        columns={[
          { title: t('jobs.kind'), dataIndex: 'kind' },
          {
            title: t('jobs.state'), dataIndex: 'state',
            render: (_value, { state: now, error }) => <Tooltip title={error?.message}><span><StatusTag status={now} /></span></Tooltip>,
          },
          { title: t('jobs.attempt'), dataIndex: 'attempt', align: 'right' },
          { title: t('jobs.created'), dataIndex: 'created_at', render: (at: string) => <span title={dates.moment(at)}>{dates.ago(at)}</span> },
          { title: t('jobs.lasted'), render: (_value, job) => lasted(job) },
          {
            title: '', align: 'right',
            render: (_value, { id, state: now }) =>
              !mayWrite ? null : now === 'failed' || now === 'cancelled' ? act(id, 'retry') : now === 'completed' ? null : act(id, 'cancel'),
          },
        ]}
      />
      <LoadMore more={list.hasNextPage} loading={list.isFetchingNextPage} onMore={() => void list.fetchNextPage()} />
    </Page>
  )
}
