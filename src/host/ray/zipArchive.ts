import { crc32 } from "node:zlib"

/** A file of an archive: its path and its bytes. */
export type Entry = readonly [path: string, bytes: Uint8Array]

/** 1980-01-01, the first day that the format knows: the same files make the same archive. */
const date = 0x21
/** Regular files that everyone may read. */
const attributes = 0o100644 * 0x10000
/** Names are UTF-8. */
const utf8 = 0x800

/** A zip archive without compression, which is not worth its time for one upload. */
export const zip = (entries: ReadonlyArray<Entry>): Uint8Array => {
  const parts: Array<Uint8Array> = []
  const directory: Array<Uint8Array> = []
  let at = 0
  for (const [path, bytes] of entries) {
    const name = Buffer.from(path)
    const fields = (into: Buffer, offset: number) => {
      into.writeUInt16LE(20, offset)
      into.writeUInt16LE(utf8, offset + 2)
      into.writeUInt16LE(date, offset + 8)
      into.writeUInt32LE(crc32(bytes), offset + 10)
      into.writeUInt32LE(bytes.length, offset + 14)
      into.writeUInt32LE(bytes.length, offset + 18)
      into.writeUInt16LE(name.length, offset + 22)
    }
    const local = Buffer.alloc(30)
    local.writeUInt32LE(0x04034b50, 0)
    fields(local, 4)
    const central = Buffer.alloc(46)
    central.writeUInt32LE(0x02014b50, 0)
    central.writeUInt16LE(0x0314, 4)
    fields(central, 6)
    central.writeUInt32LE(attributes, 38)
    central.writeUInt32LE(at, 42)
    parts.push(local, name, bytes)
    directory.push(central, name)
    at += local.length + name.length + bytes.length
  }
  const size = directory.reduce((sum, { length }) => sum + length, 0)
  const end = Buffer.alloc(22)
  end.writeUInt32LE(0x06054b50, 0)
  end.writeUInt16LE(entries.length, 8)
  end.writeUInt16LE(entries.length, 10)
  end.writeUInt32LE(size, 12)
  end.writeUInt32LE(at, 16)
  return Buffer.concat([...parts, ...directory, end])
}
