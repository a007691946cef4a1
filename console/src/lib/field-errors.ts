import { asApiError } from '@/lib/api'

interface Violation {
  loc?: (string | number)[]
  msg?: string
}

/** 422 names the fields that are wrong: their messages go to those fields of a form (`form.setFields`). */
export function fieldErrors(error: unknown) {
  const { errors } = asApiError(error).details
  return (Array.isArray(errors) ? (errors as Violation[]) : [])
    .filter(({ loc }) => loc && loc.length > 0)
    .map(({ loc = [], msg = '' }) => ({ name: loc.filter((part) => part !== 'body') as string[], errors: [msg] })) as never
}
