import { useState } from 'react'

import { DeployDialog } from '@/features/deployments/deploy-dialog'
import { LibraryPage } from '@/features/library/library-page'
import type { Model } from '@/types'

export function LibraryRoute() {
  const [deploying, setDeploying] = useState<Model | null>(null)
  return (
    <>
      <LibraryPage onDeploy={setDeploying} />
      {deploying && <DeployDialog model={deploying} onClose={() => setDeploying(null)} />}
    </>
  )
}
