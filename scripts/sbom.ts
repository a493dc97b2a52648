/**
 * Writes the bill of materials of what users of the packed package install, its peers included, to `sbom.cdx.json`.
 *
 * Usage: `node scripts/sbom.ts`, after `npm run build`.
 */
import { execFileSync } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"

const root = fileURLToPath(new URL("..", import.meta.url))
const folder = mkdtempSync(join(tmpdir(), "autostop-sbom-"))
const npm = (cwd: string, ...args: ReadonlyArray<string>): string =>
  execFileSync("npm", args, { cwd, encoding: "utf8", stdio: ["ignore", "pipe", "inherit"], maxBuffer: 2 ** 28 })

try {
  const { peerDependencies }: { readonly peerDependencies: Readonly<Record<string, string>> } = JSON.parse(
    readFileSync(join(root, "package.json"), "utf8")
  )
  const packed = npm(root, "pack", "--ignore-scripts", "--pack-destination", folder).trim().split("\n").at(-1) ?? ""
  writeFileSync(join(folder, "package.json"), "{\"name\":\"user\",\"version\":\"1.0.0\",\"private\":true}")
  const peers = Object.entries(peerDependencies).map(([name, range]) => `${name}@${range}`)
  npm(folder, "install", "--ignore-scripts", "--no-audit", "--no-fund", join(folder, packed), ...peers)
  writeFileSync(join(root, "sbom.cdx.json"), npm(folder, "sbom", "--sbom-format=cyclonedx"))
} finally {
  rmSync(folder, { recursive: true, force: true })
}
