import { api, keysetPages } from '@/lib/api'
import type { ChatOptions, Message, Page, Session, SessionDetail } from '@/types'

export interface NewSession {
  deployment_id: string
  system_prompt?: string
  options?: Partial<ChatOptions>
}

export interface SessionChange {
  id: string
  title?: string
  system_prompt?: string | null
  options?: Partial<ChatOptions>
}

const chat = api.injectEndpoints({
  endpoints: (build) => ({
    sessions: build.infiniteQuery<Page<Session>, void, string>({
      query: ({ pageParam }) => ({ url: 'chat/sessions', params: { after: pageParam } }),
      infiniteQueryOptions: keysetPages,
      providesTags: ['Session'],
    }),
    // No tag: an open conversation is kept by the socket; reading it again mid-answer would only step back.
    session: build.query<SessionDetail, string>({
      query: (id) => ({ url: `chat/sessions/${id}` }),
      keepUnusedDataFor: 0,
    }),
    createSession: build.mutation<Session, NewSession>({
      query: (body) => ({ url: 'chat/sessions', method: 'POST', body }),
      invalidatesTags: ['Session'],
    }),
    changeSession: build.mutation<Session, SessionChange>({
      query: ({ id, ...body }) => ({ url: `chat/sessions/${id}`, method: 'PATCH', body }),
      invalidatesTags: ['Session'],
      onQueryStarted: ({ id }, { dispatch, queryFulfilled }) =>
        queryFulfilled.then(
          ({ data: { title, system_prompt, options } }) => {
            dispatch(chat.util.updateQueryData('session', id, (draft) => void Object.assign(draft, { title, system_prompt, options })))
          },
          () => undefined,
        ),
    }),
    deleteSession: build.mutation<unknown, string>({
      query: (id) => ({ url: `chat/sessions/${id}`, method: 'DELETE' }),
      invalidatesTags: ['Session'],
    }),
  }),
})

/** Put a message into an open conversation, or its newer self in its place. */
export const messageChanged = (sessionId: string, message: Message) =>
  chat.util.updateQueryData('session', sessionId, (draft) => {
    const at = draft.messages.findIndex(({ id }) => id === message.id)
    if (at >= 0) draft.messages[at] = message
    else draft.messages.push(message)
  })

export const textGrew = (sessionId: string, messageId: string, text: string) =>
  chat.util.updateQueryData('session', sessionId, (draft) => {
    const message = draft.messages.find(({ id }) => id === messageId)
    if (message?.status === 'generating') message.content = text
  })

export const {
  useSessionsInfiniteQuery, useSessionQuery, useCreateSessionMutation, useChangeSessionMutation, useDeleteSessionMutation,
} = chat
