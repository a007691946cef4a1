import { useState } from 'react'

import { DeployDialog } from '@/features/deployments/deploy-dialog'
import { StorePage } from '@/features/library/store-page'
import type { Model } from '@/types'

export function StoreRoute() {
  const [deploying, setDeploying] = useState<Model | null>(null)
  return (
    <>
      <StorePage onDeploy={setDeploying} />
      {deploying && <DeployDialog model={deploying} onClose={() => setDeploying(null)} />}
    </>
  )
}
