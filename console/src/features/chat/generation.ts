import { useCallback, useEffect } from 'react'

import { api, asApiError } from '@/lib/api'
import { useAppDispatch } from '@/lib/hooks'
import { notices } from '@/lib/notify'
import { ask, follow, type HubEvent, socketOf } from '@/lib/socket'
import type { Exchange, Message } from '@/types'

import { messageChanged, textGrew } from './api'
import { answerOf, join } from './stream'

type GenerationEvent = HubEvent<{ text: string } & Message>

/** Answers to what this page has sent: the hub follows them for us from the start, so their first events may come
 *  before anything on the page is there to listen. They wait here. */
const sent = new Map<string, { heard: GenerationEvent[]; stop: () => void }>()

function listen(): { heard: GenerationEvent[]; stop: () => void } {
  const heard: GenerationEvent[] = []
  const wire = socketOf('/chat')
  const keep = (event: GenerationEvent) => void heard.push(event)
  wire.on('event', keep)
  return { heard, stop: () => void wire.off('event', keep) }
}

interface Subscribed {
  snapshot: Partial<Message> | null
  seq: number
}

const ended = (message: Partial<Message> | null): message is Message =>
  Boolean(message?.id && message.status && message.status !== 'generating')

/** Follow an answer that is being written, from where our text ends: after sending, a reload or a lost connection. */
export function useGeneration(sessionId: string, message: Message | undefined, refetch: () => void) {
  const dispatch = useAppDispatch()
  const id = message?.status === 'generating' ? message.id : undefined

  useEffect(() => {
    if (!id) return
    let answer = answerOf(message?.content ?? '')
    let frame = 0
    let over = false
    const draw = () => {
      frame = 0
      if (!over) dispatch(textGrew(sessionId, id, answer.text) as never)
    }
    const finish = (whole: Message) => {
      over = true
      dispatch(messageChanged(sessionId, whole) as never)
    }
    const take = (piece: string, seq: number) => {
      const next = join(answer, piece, seq)
      if (!next) return subscribe()
      answer = next
      frame ||= requestAnimationFrame(draw)
    }
    const subscribe = () => {
      ask<Subscribed>('/chat', 'subscribe', { id, after: answer.offset }).then(({ snapshot }) => {
        if (ended(snapshot)) finish(snapshot)
        else if (snapshot?.content) take(snapshot.content, answerOf(snapshot.content).offset)
      }, refetch)
    }
    const onEvent = (event: GenerationEvent) => {
      if (event.id !== id || over) return
      if (event.type === 'delta') take(event.data.text, event.seq)
      else if (event.type === 'done') finish(event.data)
    }
    const early = sent.get(id)
    sent.delete(id)
    early?.stop()
    const leave = follow('/chat', (again) => (early && !again ? undefined : subscribe()), onEvent)
    early?.heard.forEach(onEvent)
    return () => {
      leave()
      cancelAnimationFrame(frame)
      void ask('/chat', 'unsubscribe', { id }).catch(() => undefined)
    }
    // The text at the moment of attaching is what counts; its growth must not attach again.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [id, sessionId, dispatch])
}

/** Say something; true when the hub has taken it. */
export function useSend() {
  const dispatch = useAppDispatch()
  return useCallback(
    async (sessionId: string, content: string): Promise<boolean> => {
      for (const { stop } of sent.values()) stop()
      sent.clear()
      const early = listen()
      try {
        const { user, assistant } = await ask<Exchange>('/chat', 'send', { session_id: sessionId, content })
        sent.set(assistant.id, early)
        dispatch(messageChanged(sessionId, user) as never)
        dispatch(messageChanged(sessionId, assistant) as never)
        dispatch(api.util.invalidateTags(['Session']) as never)
        return true
      } catch (reason) {
        early.stop()
        notices.failure(asApiError(reason))
        return false
      }
    },
    [dispatch],
  )
}

export async function stopGeneration(id: string): Promise<void> {
  await ask('/chat', 'stop', { id }).catch((reason: unknown) => notices.failure(asApiError(reason)))
}
