import './styles.css'

import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'

import { Providers } from '@/app/providers'
import { makeRouter } from '@/app/router'
import { makeStore } from '@/app/store'

const root = document.getElementById('root')
if (!root) throw new Error('index.html has no #root')

createRoot(root).render(
  <StrictMode>
    <Providers store={makeStore()} router={makeRouter()} />
  </StrictMode>,
)
