import { App, Button, Card, Flex, Form, Input, InputNumber, Radio, Switch, Typography } from 'antd'
import { useTranslation } from 'react-i18next'

import { ErrorNote } from '@/components/error-note'
import { bytes, fromMiB, toMiB } from '@/lib/format'
import { useDates } from '@/lib/hooks'
import type { TransferSettings, TransferSettingsNow } from '@/types'

import { useSetTransferSettingsMutation } from './api'

interface Fields {
  speed: number | null
  parallel: number
  connections: number | null
  limited: boolean
  begin?: string
  end?: string
  outside?: 'hold' | 'slow'
  slow?: number | null
}

export function toSettings({ speed, parallel, connections, limited, begin, end, outside, slow }: Fields): TransferSettings {
  const hours = limited && begin && end
    ? { begin, end, outside: outside ?? 'hold', rate: outside === 'slow' ? fromMiB(slow) : null }
    : null
  return { rate: fromMiB(speed), parallel, connections, hours }
}

/** Downloads: speed and hours. What is saved holds at once, for downloads under way too. */
export function TransfersCard({ settings }: { settings: TransferSettingsNow }) {
  const { t } = useTranslation()
  const { message } = App.useApp()
  const dates = useDates()
  const [form] = Form.useForm<Fields>()
  const limited = Form.useWatch('limited', form)
  const outside = Form.useWatch('outside', form)
  const [set, { isLoading, error }] = useSetTransferSettingsMutation()
  const { hours, now } = settings
  const save = async (fields: Fields) => {
    const answer = await set(toSettings(fields))
    if (!answer.error) void message.success(t('settings.saved'))
  }
  const told = now.held
    ? t('settings.heldUntil', { when: dates.moment(now.until) })
    : now.rate ? t('settings.nowAtMost', { speed: `${bytes(now.rate)}/s` }) : t('settings.nowFree')
  return (
    <Card title={t('settings.transfers')}>
      <Typography.Paragraph type="secondary">{told}</Typography.Paragraph>
      <Form
        form={form}
        layout="vertical"
        requiredMark={false}
        initialValues={{
          speed: toMiB(settings.rate), parallel: settings.parallel, connections: settings.connections, limited: hours !== null,
          begin: hours?.begin ?? '22:00', end: hours?.end ?? '06:00', outside: hours?.outside ?? 'hold', slow: toMiB(hours?.rate) ?? 1,
        }}
        onFinish={(fields) => void save(fields)}
      >
        <Form.Item name="speed" label={t('settings.speed')} extra={t('settings.speedHint')}>
          <InputNumber min={0.01} suffix="MiB/s" className="narrow wide" placeholder={t('queue.noLimit')} />
        </Form.Item>
        <Form.Item name="parallel" label={t('settings.parallel')} rules={[{ required: true, message: t('settings.parallelMissing') }]}>
          <InputNumber min={1} max={64} precision={0} className="narrow wide" />
        </Form.Item>
        <Form.Item name="connections" label={t('queue.connections')} extra={t('settings.connectionsHint')}>
          <InputNumber min={1} max={32} precision={0} className="narrow wide" />
        </Form.Item>
        <Form.Item name="limited" label={t('settings.limited')} valuePropName="checked" extra={t('settings.zone', { zone: settings.time_zone })}>
          <Switch />
        </Form.Item>
        {limited && (
          <>
            <Flex gap={12} wrap>
              <Form.Item name="begin" label={t('settings.begin')}><Input type="time" /></Form.Item>
              <Form.Item name="end" label={t('settings.end')}><Input type="time" /></Form.Item>
            </Flex>
            <Form.Item name="outside" label={t('settings.outside')}>
              <Radio.Group options={[{ value: 'hold', label: t('settings.hold') }, { value: 'slow', label: t('settings.slow') }]} />
            </Form.Item>
            {outside === 'slow' && (
              <Form.Item name="slow" label={t('settings.slowSpeed')}>
                <InputNumber min={0.01} suffix="MiB/s" className="narrow wide" />
              </Form.Item>
            )}
          </>
        )}
        {error && <div className="login-error"><ErrorNote error={error} /></div>}
        <Button type="primary" htmlType="submit" loading={isLoading}>{t('actions.save')}</Button>
      </Form>
    </Card>
  )
}
