import {
  ApiOutlined, DeleteOutlined, FileTextOutlined, MessageOutlined, PlayCircleOutlined, PoweroffOutlined, ReloadOutlined,
} from '@ant-design/icons'
import { Alert, Button, Flex, Popconfirm, Tag, Typography } from 'antd'
import type { ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { Link } from 'react-router'

import { ShareButton } from '@/components/sharing/share-button'
import { VisibilityTag } from '@/components/sharing/visibility-tag'
import { StatusTag } from '@/components/status-tag'
import { paths } from '@/config/paths'
import { useDates, useMay, useMayChange } from '@/lib/hooks'
import type { Deployment } from '@/types'

import { type DeploymentAction, useChangeDeploymentMutation, useDeleteDeploymentMutation, useShareDeploymentMutation } from './api'

interface Props {
  deployment: Deployment
  onLogs: (deployment: Deployment) => void
  onConnect: (deployment: Deployment) => void
  onChat: (deployment: Deployment) => void
}

export function DeploymentRow({ deployment, onLogs, onConnect, onChat }: Props) {
  const { t } = useTranslation()
  const dates = useDates()
  const { name, status, error } = deployment
  const mayChat = useMay('chat.use')
  const mayWrite = useMay('deployments.write')
  const mayChange = useMayChange(deployment) && mayWrite
  const [share, sharing] = useShareDeploymentMutation()
  return (
    <li className="row" aria-label={name}>
      <Flex justify="space-between" gap={12} wrap align="center">
        <div className="row-main">
          <div className="row-title">{name} <StatusTag status={status} live /> <VisibilityTag thing={deployment} /> {deployment.outdated && <Tag color="orange">{t('deployments.outdated')}</Tag>}</div>
          <div className="facts">
            <Link to={paths.model(deployment.model_id)}>{deployment.model_name}</Link>
            <span>{deployment.engine ?? deployment.runtime}</span>
            {deployment.endpoint && status === 'running' && <code className="breakable">{deployment.endpoint}</code>}
            <span title={dates.moment(deployment.created_at)}>{dates.ago(deployment.created_at)}</span>
          </div>
          {deployment.message && status === 'deploying' && <div className="row-sub">{deployment.message}</div>}
        </div>
        <Flex gap={8} wrap className="row-actions">
          {status === 'running' && mayChat && (
            <Button type="primary" icon={<MessageOutlined />} aria-label={t('deployments.chatName', { name })} onClick={() => onChat(deployment)}>
              {t('deployments.chat')}
            </Button>
          )}
          {mayChange && <Lifecycle deployment={deployment} />}
          {mayChat && <Button type="text" icon={<ApiOutlined />} title={t('deployments.connect')} aria-label={t('deployments.connectName', { name })} onClick={() => onConnect(deployment)} />}
          <Button type="text" icon={<FileTextOutlined />} title={t('deployments.logs')} aria-label={t('deployments.logsName', { name })} onClick={() => onLogs(deployment)} />
          {mayChange && (
            <ShareButton
              thing={deployment}
              onShare={(chosen) => share({ id: deployment.id, ...chosen })}
              busy={sharing.isLoading}
              error={sharing.error}
              onClosed={sharing.reset}
            />
          )}
          {mayChange && <Remove deployment={deployment} />}
        </Flex>
      </Flex>
      {error && status === 'failed' && (
        <Alert
          className="row-alert"
          type="error"
          showIcon
          title={<span className="pre">{error.message}</span>}
          description={<Typography.Text type="secondary" code>{error.code}</Typography.Text>}
        />
      )}
    </li>
  )
}

function Lifecycle({ deployment }: { deployment: Deployment }) {
  const { t } = useTranslation()
  const [change, changing] = useChangeDeploymentMutation()
  const { id, name, status } = deployment
  const act = (action: DeploymentAction, icon: ReactNode) => (
    <Button
      key={action}
      icon={icon}
      loading={changing.isLoading && changing.originalArgs?.action === action}
      aria-label={t(`deployments.${action}Name`, { name })}
      onClick={() => void change({ id, action })}
    >
      {t(`deployments.${action}`)}
    </Button>
  )
  if (status === 'running') return [act('stop', <PoweroffOutlined />), act('restart', <ReloadOutlined />)]
  if (status === 'deploying') return act('stop', <PoweroffOutlined />)
  return act('start', <PlayCircleOutlined />)
}

function Remove({ deployment }: { deployment: Deployment }) {
  const { t } = useTranslation()
  const [remove, { isLoading }] = useDeleteDeploymentMutation()
  return (
    <Popconfirm
      title={t('deployments.deleteAsk')}
      description={t('deployments.deleteHint')}
      okText={t('deployments.delete')}
      cancelText={t('actions.keep')}
      okButtonProps={{ danger: true }}
      onConfirm={() => void remove(deployment.id)}
    >
      <Button type="text" danger icon={<DeleteOutlined />} loading={isLoading} aria-label={t('deployments.deleteName', { name: deployment.name })} />
    </Popconfirm>
  )
}
