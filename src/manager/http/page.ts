/** Serves the page on which people watch jobs: files that were built, hold no secret, and ask the API as any client does. */
import * as Effect from "effect/Effect"
import * as HttpRouter from "effect/http/HttpRouter"
import type { HttpServerRequest } from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import { createHash } from "node:crypto"
import { readdir, readFile } from "node:fs/promises"
import { extname } from "node:path"
import { promisify } from "node:util"
import { gzip } from "node:zlib"
import { securityPolicy } from "./securityPolicy.ts"

/** The page is built there, whether the manager runs from its sources or was built itself. */
const folder = new URL("../../../dist/page/", import.meta.url)

/** Allows scripts and styles of these files, requests to this manager, and nothing from elsewhere. */
const policy = securityPolicy({
  "script-src": "'self'",
  "style-src": "'self'",
  "require-trusted-types-for": "'script'"
})

const types: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8"
}

/** A file, and the answers with it, which all readers share. */
interface PageFile {
  readonly tag: string
  readonly plain: HttpServerResponse.HttpServerResponse
  readonly compressed: HttpServerResponse.HttpServerResponse
  readonly unchanged: HttpServerResponse.HttpServerResponse
}

/** Serves the page at `/`, without a token: what it shows comes from the API, which asks for one. */
export const layerPage = (from: URL = folder) =>
  HttpRouter.use(Effect.fnUntraced(function*(router) {
    const files = yield* Effect.cached(Effect.promise(() => readFiles(from)))
    const serve = (pathOf: (request: HttpServerRequest) => string) => (request: HttpServerRequest) =>
      Effect.map(files, (files) => {
        const file = files.get(pathOf(request))
        return file === undefined ? missing(files.size) : answer(file, request.headers)
      })
    yield* router.add("GET", "/", serve(() => "index.html"))
    yield* router.add("GET", "/assets/*", serve(({ url }) => url.slice(1).replace(/[?#].*/, "")))
  }))

const missing = (files: number): HttpServerResponse.HttpServerResponse =>
  HttpServerResponse.jsonUnsafe({
    _tag: "NoEndpoint",
    message: files === 0
      ? "the page was not built: run \"npm run build\", or look at /docs"
      : "the page has no such file: load it again"
  }, { status: 404 })

const answer = (file: PageFile, headers: HttpServerRequest["headers"]): HttpServerResponse.HttpServerResponse => {
  if (headers["if-none-match"]?.includes(file.tag)) return file.unchanged
  return /\bgzip\b/.test(headers["accept-encoding"] ?? "") ? file.compressed : file.plain
}

const readFiles = async (from: URL): Promise<ReadonlyMap<string, PageFile>> => {
  const assets = await readdir(new URL("assets/", from)).catch(() => [])
  const paths = assets.length === 0 ? [] : ["index.html", ...assets.map((name) => `assets/${name}`)]
  return new Map(await Promise.all(paths.map(async (path) => [path, await readPageFile(from, path)] as const)))
}

const readPageFile = async (from: URL, path: string): Promise<PageFile> => {
  const bytes = await readFile(new URL(path, from))
  const tag = `"${createHash("sha256").update(bytes).digest("base64url").slice(0, 20)}"`
  const headers = {
    // the name of an asset changes with what is in it
    "cache-control": path === "index.html" ? "no-cache" : "public, max-age=31536000, immutable",
    "content-security-policy": policy,
    "etag": tag,
    "referrer-policy": "no-referrer",
    "vary": "accept-encoding",
    "x-content-type-options": "nosniff"
  }
  const options = { contentType: types[extname(path)] ?? "application/octet-stream" }
  return {
    tag,
    plain: HttpServerResponse.uint8Array(bytes, { ...options, headers }),
    compressed: HttpServerResponse.uint8Array(await promisify(gzip)(bytes, { level: 9 }), {
      ...options,
      headers: { ...headers, "content-encoding": "gzip" }
    }),
    unchanged: HttpServerResponse.empty({ status: 304, headers })
  }
}
