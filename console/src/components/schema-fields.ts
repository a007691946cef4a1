import type { Rule } from 'antd/es/form'

import i18n from '@/config/i18n'

/** The part of JSON Schema that pydantic writes for options. */
export interface JsonSchema {
  type?: string
  title?: string
  description?: string
  default?: unknown
  const?: unknown
  enum?: unknown[]
  anyOf?: JsonSchema[]
  allOf?: JsonSchema[]
  $ref?: string
  $defs?: Record<string, JsonSchema>
  properties?: Record<string, JsonSchema>
  required?: string[]
  items?: JsonSchema
  minimum?: number
  maximum?: number
  exclusiveMinimum?: number
  exclusiveMaximum?: number
  minLength?: number
  maxLength?: number
  pattern?: string
}

export interface Field {
  name: string
  title: string
  description?: string
  kind: 'text' | 'integer' | 'number' | 'boolean' | 'choice' | 'strings' | 'object'
  required: boolean
  initial?: unknown
  choices?: (string | number)[]
  minimum?: number
  maximum?: number
  maxLength?: number
  rules: Rule[]
}

/** Follow references and drop the `null` of optional fields; the outer words (title, default) win. */
function plain(schema: JsonSchema, root: JsonSchema): JsonSchema {
  const { $ref, anyOf, allOf, ...outer } = schema
  if ($ref) {
    const named = root.$defs?.[$ref.replace('#/$defs/', '')] ?? {}
    return { ...plain(named, root), ...outer }
  }
  const only = anyOf?.filter((part) => part.type !== 'null') ?? allOf
  if (only?.length === 1 && only[0]) return { ...plain(only[0], root), ...outer }
  if (only && only.length > 1) {
    const consts = only.flatMap((part) => part.enum ?? (part.const === undefined ? [] : [part.const]))
    if (consts.length > 0) return { ...outer, enum: consts }
    // "a number or a word": a text field takes both, the hub judges.
    return { type: 'string', ...outer }
  }
  return schema
}

function kindOf(schema: JsonSchema): Field['kind'] {
  if (schema.enum || schema.const !== undefined) return 'choice'
  if (schema.type === 'integer' || schema.type === 'number' || schema.type === 'boolean') return schema.type
  if (schema.type === 'array' && (schema.items?.type ?? 'string') === 'string') return 'strings'
  if (schema.type === 'object' || schema.type === 'array') return 'object'
  return 'text'
}

function isJson(text: unknown): boolean {
  if (typeof text !== 'string' || text.trim() === '') return true
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

function rulesOf(field: Omit<Field, 'rules'>, schema: JsonSchema): Rule[] {
  const rules: Rule[] = []
  if (field.required && field.initial === undefined) {
    rules.push({ required: true, message: i18n.t('form.required', { name: field.title }) })
  }
  if (schema.pattern) rules.push({ pattern: new RegExp(schema.pattern), message: i18n.t('form.pattern', { name: field.title }) })
  if (schema.minLength) rules.push({ min: schema.minLength })
  if (field.kind === 'number' || field.kind === 'integer') {
    const { exclusiveMinimum: above, exclusiveMaximum: below } = schema
    rules.push({
      validator: async (_rule, value: unknown) => {
        if (typeof value !== 'number') return
        if (above !== undefined && value <= above) throw new Error(i18n.t('form.above', { name: field.title, n: above }))
        if (below !== undefined && value >= below) throw new Error(i18n.t('form.below', { name: field.title, n: below }))
      },
    })
  }
  if (field.kind === 'object') {
    rules.push({
      validator: async (_rule, value: unknown) => {
        if (!isJson(value)) throw new Error(i18n.t('form.json', { name: field.title }))
      },
    })
  }
  return rules
}

const spoken = (name: string) => (name.charAt(0).toUpperCase() + name.slice(1)).replaceAll('_', ' ')

/** What to draw for each property, in the schema's order. */
export function fieldsOf(root: JsonSchema): Field[] {
  return Object.entries(root.properties ?? {}).map(([name, raw]) => {
    const schema = plain(raw, root)
    const field: Omit<Field, 'rules'> = {
      name,
      title: schema.title ?? spoken(name),
      description: schema.description,
      kind: kindOf(schema),
      required: root.required?.includes(name) ?? false,
      initial: schema.default,
      choices: (schema.enum ?? (schema.const === undefined ? undefined : [schema.const])) as (string | number)[] | undefined,
      minimum: schema.minimum ?? schema.exclusiveMinimum,
      maximum: schema.maximum ?? schema.exclusiveMaximum,
      maxLength: schema.maxLength,
    }
    return { ...field, rules: rulesOf(field, schema) }
  })
}

/** What goes to the hub: fields left empty stay out, so that its own defaults hold. */
export function valuesOf(root: JsonSchema, values: Record<string, unknown>): Record<string, unknown> {
  const sent: Record<string, unknown> = {}
  for (const { name, kind } of fieldsOf(root)) {
    const value = values[name]
    if (value === undefined || value === null || value === '') continue
    if (Array.isArray(value) && value.length === 0) continue
    sent[name] = kind === 'object' && typeof value === 'string' ? JSON.parse(value) : value
  }
  return sent
}
