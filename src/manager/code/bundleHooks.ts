/** Has code that was uploaded, which stands alone in a folder, import autostop and Effect as this package has them. */
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
