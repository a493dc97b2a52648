/** Resolves the imports of autostop and Effect in uploaded code to those of this package. */
import { createRequire, registerHooks } from "node:module"
import { pathToFileURL } from "node:url"

const files: Readonly<Record<string, string>> = { autostop: "../../index", "autostop/testing": "../../testing" }
const extension = import.meta.url.slice(import.meta.url.lastIndexOf("."))
const own = createRequire(import.meta.url)

registerHooks({
  resolve: (specifier, context, next) => {
    const file = files[specifier]
    if (file !== undefined) return found(new URL(`${file}${extension}`, import.meta.url).href)
    if (!/^effect($|\/)/.test(specifier) || context.parentURL === import.meta.url) return next(specifier, context)
    // `require` knows no other place to begin from than its own module
    return context.conditions.includes("require")
      ? found(pathToFileURL(own.resolve(specifier)).href)
      : next(specifier, { ...context, parentURL: import.meta.url })
  }
})

/** It is not passed on, because `require` takes no URL. */
const found = (url: string) => ({ url, shortCircuit: true })
