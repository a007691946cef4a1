import { render, screen } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { Form } from 'antd'

import { fieldsOf, type JsonSchema, valuesOf } from './schema-fields'
import { SchemaForm } from './schema-form'

// As pydantic writes it.
const schema: JsonSchema = {
  $defs: { Engine: { enum: ['auto', 'transformers', 'llamacpp'], type: 'string' } },
  type: 'object',
  required: ['label'],
  properties: {
    engine: { $ref: '#/$defs/Engine', default: 'auto', title: 'Engine' },
    threads: { anyOf: [{ type: 'integer', minimum: 1, maximum: 8 }, { type: 'null' }], default: null, title: 'Threads', description: 'Processor threads.' },
    ratio: { type: 'number', exclusiveMinimum: 0, title: 'Ratio' },
    verbose: { type: 'boolean', default: false },
    stop: { type: 'array', items: { type: 'string' } },
    extra: { type: 'object' },
    label: { type: 'string', pattern: '^[a-z]+$' },
  },
}

test('each property becomes the field it means', () => {
  expect(fieldsOf(schema).map(({ name, kind, title }) => [name, kind, title])).toEqual([
    ['engine', 'choice', 'Engine'], ['threads', 'integer', 'Threads'], ['ratio', 'number', 'Ratio'], ['verbose', 'boolean', 'Verbose'],
    ['stop', 'strings', 'Stop'], ['extra', 'object', 'Extra'], ['label', 'text', 'Label'],
  ])
  expect(fieldsOf(schema)[1]).toMatchObject({ minimum: 1, maximum: 8, required: false })
})

test('what is left empty is left to the hub', () => {
  expect(valuesOf(schema, { engine: 'auto', threads: null, label: '', stop: [], extra: '{"a": 1}', unknown: 1 })).toEqual({
    engine: 'auto', extra: { a: 1 },
  })
})

function Harness({ onDone }: { onDone: (values: object) => void }) {
  return (
    <Form onFinish={onDone}>
      <SchemaForm schema={schema} at="options" />
      <button type="submit">Go</button>
    </Form>
  )
}

test('the form refuses what the schema refuses and gives what was typed', async () => {
  const done = vi.fn()
  const user = userEvent.setup()
  render(<Harness onDone={done} />)
  await user.click(screen.getByRole('button', { name: 'Go' }))
  expect(await screen.findByText('Label is needed')).toBeInTheDocument()
  expect(done).not.toHaveBeenCalled()

  await user.type(screen.getByLabelText('Label'), 'abc')
  await user.type(screen.getByLabelText('Threads'), '99')
  await user.click(screen.getByRole('switch'))
  await user.click(screen.getByRole('button', { name: 'Go' }))
  await vi.waitFor(() => expect(done).toHaveBeenCalled())
  expect(done.mock.calls[0]?.[0].options).toMatchObject({ engine: 'auto', threads: 8, verbose: true, label: 'abc' })
})
