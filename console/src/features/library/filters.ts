import type { operations } from '@/types/api'

type Asked = NonNullable<operations['get__api_v1_models']['parameters']['query']>

/** What a list of models is filtered and sorted by. */
export type ModelFilters = Omit<Asked, 'after' | 'limit'>

export const KINDS = ['base', 'adapter', 'merged', 'gguf'] as const
export const VISIBILITIES = ['private', 'team', 'public'] as const
export const SORTS = ['created', 'name', '-name', 'size', '-size'] as const

/** Whether anything is left out: an order leaves nothing out. */
export const narrowed = ({ sort: _sort, shared: _shared, ...filters }: ModelFilters) =>
  Object.values(filters).some((value) => value !== undefined && value !== '')
