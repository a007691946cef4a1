import { useCallback, useLayoutEffect, useRef } from 'react'

/** Keep the end in view while the reader is there; leave them alone when they have scrolled up to read. */
export function useStickToEnd(content: unknown) {
  const box = useRef<HTMLDivElement>(null)
  const atEnd = useRef(true)
  useLayoutEffect(() => {
    if (atEnd.current && box.current) box.current.scrollTop = box.current.scrollHeight
  }, [content])
  const onScroll = useCallback(() => {
    const { current } = box
    if (current) atEnd.current = current.scrollHeight - current.scrollTop - current.clientHeight < 48
  }, [])
  const stick = useCallback(() => {
    atEnd.current = true
  }, [])
  return { box, onScroll, stick }
}
