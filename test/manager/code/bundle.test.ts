import { assert, describe, it } from "@effect/vitest"
import { bundleFault, versions } from "../../../src/manager/code/bundle.ts"

const bundleOf = (fields: object) => JSON.stringify({ versions, files: { "job.js": { text: "" } }, ...fields })
const filesOf = (files: object) => bundleOf({ files: { "job.js": { text: "" }, ...files } })
const long = "a".repeat(100_000)

describe("a bundle", () => {
  it("may have texts, and files that are encoded", () => {
    assert.isUndefined(
      bundleFault(filesOf({ "a.txt": { text: "é" }, "b.bin": { base64: "AA==" }, "c.bin": { base64: "" } }))
    )
    assert.isUndefined(bundleFault(filesOf({ "large.bin": { base64: "AAAA".repeat(4_000_000) } })))
  })

  const faults: ReadonlyArray<readonly [what: string, text: string, message: RegExp]> = [
    ["no JSON", "{", /^the content is no bundle: .*JSON/],
    ["a list", "[]", /expected an object/],
    ["no versions", bundleOf({ versions: null }), /`versions` must have `autostop` and `effect`/],
    ["a version that is no text", bundleOf({ versions: { ...versions, effect: 4 } }), /`versions` must have/],
    [
      "a version that is too long",
      bundleOf({ versions: { ...versions, effect: long } }),
      /texts of up to 64 characters/
    ],
    ["another version", bundleOf({ versions: { ...versions, effect: "3.1.0" } }), /was bundled for effect 3\.1\.0/],
    ["a list of files", bundleOf({ files: [] }), /`files` must be an object/],
    ["no entry", bundleOf({ files: { "a.js": { text: "" } } }), /has no file job\.js/],
    ["a name with a folder", filesOf({ "../a": { text: "" } }), /the name "\.\.\/a" of a file must match/],
    ["a name that is too long", filesOf({ [long]: { text: "" } }), /^.{1,300}$/],
    ["a file of neither kind", filesOf({ "a.js": { text: 1 } }), /the file "a\.js" must have `text`/],
    ["a file that is no object", filesOf({ "a.js": null }), /the file "a\.js" must have `text`/],
    ["what is not encoded", filesOf({ "a.js": { base64: "AAA" } }), /or `base64` that is encoded so/],
    ["what ends encoded otherwise", filesOf({ "a.js": { base64: "A===" } }), /or `base64` that is encoded so/]
  ]
  for (const [what, text, message] of faults) {
    it(`is refused with ${what}, in a short text`, () => assert.match(bundleFault(text) ?? "", message))
  }
})
