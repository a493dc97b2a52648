/** A part of the page that is loaded when it is first shown. */
import type { ComponentType } from "preact"
import { useEffect, useState } from "preact/hooks"
import { messageOf } from "../api/request.ts"

interface LazyProps<P> {
  readonly load: () => Promise<{ readonly default: ComponentType<P> }>
  readonly props: P
}

type Loaded<P> = { readonly part: ComponentType<P> } | { readonly fault: string } | undefined

export const Lazy = <P extends object>({ load, props }: LazyProps<P>) => {
  const [loaded, setLoaded] = useState<Loaded<P>>(undefined)
  useEffect(() => {
    load().then(
      (module) => setLoaded({ part: module.default }),
      (error: unknown) => setLoaded({ fault: messageOf(error) })
    )
  }, [])
  if (loaded === undefined) return <p role="status">Loading …</p>
  if ("fault" in loaded) return <p class="notice alert" role="alert">This part could not be loaded: {loaded.fault}.</p>
  const Part = loaded.part
  return <Part {...props} />
}
