/** A namespace is described by the comment at the head of its module, which typedoc reads only where it says `@module`. */
import { readFileSync } from "node:fs"
import { Comment, Converter, ReflectionKind } from "typedoc"

/** @param {import("typedoc").Application} app */
export const load = (app) => {
  app.converter.on(Converter.EVENT_RESOLVE_BEGIN, (context) => {
    for (const namespace of context.project.getReflectionsByKind(ReflectionKind.Namespace)) {
      const file = context.project.getSymbolIdFromReflection(namespace)?.fileName
      const head = file === undefined ? undefined : /^\/\*\*([\s\S]*?)\*\//.exec(readFileSync(file, "utf8"))?.[1]
      if (head === undefined || namespace.comment !== undefined) continue
      const text = head.replaceAll(/^\s*\* ?/gm, "").replaceAll(/^@\w+.*$/gm, "").trim()
      if (text !== "") namespace.comment = new Comment([{ kind: "text", text }])
    }
  })
}
