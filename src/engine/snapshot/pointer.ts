/**
 * Where snapshots of a partition lie, as a commit's metadata says it: `state 9912@9001 8000@7011`,
 * the newest first; each is the offset of the manifest and that of the first chunk it needs.
 */
export interface Pointer {
  readonly manifest: number
  readonly begin: number
}

const WORD = 'state'

export function metadataOf(pointers: readonly Pointer[]): string {
  if (pointers.length === 0) return ''
  return [WORD, ...pointers.map(({ manifest, begin }) => `${manifest}@${begin}`)].join(' ')
}

/** None where nobody, or another program, wrote the metadata. */
export function pointersOf(metadata: string): readonly Pointer[] {
  const [word, ...texts] = metadata.split(' ')
  if (word !== WORD) return []
  return texts.flatMap((text) => {
    const match = /^(\d+)@(\d+)$/.exec(text)
    return match === null ? [] : [{ manifest: Number(match[1]), begin: Number(match[2]) }]
  })
}
