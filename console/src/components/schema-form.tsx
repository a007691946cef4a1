import { Form, Input, InputNumber, Select, Switch } from 'antd'
import type { ReactNode } from 'react'

import { type Field, fieldsOf, type JsonSchema } from '@/components/schema-fields'

interface Props {
  schema: JsonSchema
  /** Where the values stand in the surrounding form, for example `options`. */
  at?: string
}

function control(field: Field): ReactNode {
  const placeholder = field.initial === undefined || field.initial === null ? undefined : String(field.initial)
  switch (field.kind) {
    case 'choice':
      return <Select allowClear={!field.required} options={field.choices?.map((value) => ({ value, label: String(value) }))} placeholder={placeholder} />
    case 'boolean':
      return <Switch />
    case 'integer':
    case 'number':
      return (
        <InputNumber
          className="wide"
          min={field.minimum}
          max={field.maximum}
          precision={field.kind === 'integer' ? 0 : undefined}
          placeholder={placeholder}
        />
      )
    case 'strings':
      return <Select mode="tags" open={false} suffixIcon={null} tokenSeparators={[',']} />
    case 'object':
      return <Input.TextArea autoSize={{ minRows: 2 }} placeholder="{}" />
    default:
      return <Input placeholder={placeholder} maxLength={field.maxLength} />
  }
}

/** The items of a form that a JSON Schema describes; put it inside an antd Form, submit through `valuesOf`. */
export function SchemaForm({ schema, at }: Props) {
  return fieldsOf(schema).map((field) => (
    <Form.Item
      key={field.name}
      name={at ? [at, field.name] : field.name}
      label={field.title}
      extra={field.description}
      valuePropName={field.kind === 'boolean' ? 'checked' : 'value'}
      initialValue={field.kind === 'boolean' || field.kind === 'choice' ? field.initial : undefined}
      rules={field.rules}
    >
      {control(field)}
    </Form.Item>
  ))
}
