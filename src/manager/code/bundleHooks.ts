/** Resolves the imports of autostop and Effect in uploaded code to those of this package. */
import { registerHooks } from "node:module"

const files: Readonly<Record<string, string>> = { autostop: "../../index", "autostop/testing": "../../testing" }
const extension = import.meta.url.slice(import.meta.url.lastIndexOf("."))

registerHooks({
  resolve: (specifier, context, next) => {
    const file = files[specifier]
    if (file !== undefined) return next(new URL(`${file}${extension}`, import.meta.url).href, context)
    return /^effect($|\/)/.test(specifier)
      ? next(specifier, { ...context, parentURL: import.meta.url })
      : next(specifier, context)
  }
})
