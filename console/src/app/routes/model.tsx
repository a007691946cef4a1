import { useState } from 'react'
import { useParams } from 'react-router'

import { DeployDialog } from '@/features/deployments/deploy-dialog'
import { ModelPage } from '@/features/library/model-page'
import type { Model } from '@/types'

export function ModelRoute() {
  const { id = '' } = useParams()
  const [deploying, setDeploying] = useState<Model | null>(null)
  return (
    <>
      <ModelPage key={id} id={id} onDeploy={setDeploying} />
      {deploying && <DeployDialog model={deploying} onClose={() => setDeploying(null)} />}
    </>
  )
}
