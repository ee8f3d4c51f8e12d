import { readFile } from 'node:fs/promises'
import { messageOf, type MeterloomError } from '../kernel/errors.ts'
import { fileErrors } from './errors.ts'

/** Characters of a wrong value that its complaint shows. */
const SHOWN_MAX = 80

/**
 * One value of a JSON file that a user wrote, with the place where it stands (`meters[3].zone`).
 * Each reading of it is checked, and what is wrong is refused by file, place, value and what it
 * must be.
 */
export class JsonNode {
  readonly file: string
  readonly place: string
  readonly value: unknown
  private readonly taken = new Set<string>()

  constructor(file: string, place: string, value: unknown) {
    this.file = file
    this.place = place
    this.value = value
  }

  get isMissing(): boolean {
    return this.value === undefined
  }

  /** @returns file.badField, to be thrown. */
  refusal(wants: string): MeterloomError {
    const value = this.isMissing ? 'missing' : shown(this.value)
    const place = this.place === '' ? 'the whole' : this.place
    return fileErrors.badField({ file: this.file, place, value, wants })
  }

  /** The field `key` of an object; its value is undefined where there is none. */
  field(key: string): JsonNode {
    const { value } = this
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw this.refusal('an object')
    }
    this.taken.add(key)
    const held = Object.hasOwn(value, key) ? (value as Record<string, unknown>)[key] : undefined
    return new JsonNode(this.file, this.place === '' ? key : `${this.place}.${key}`, held)
  }

  /**
   * Refuses a field that nobody has asked for: a name with a slip would else mean nothing at all.
   */
  noOthers(): void {
    for (const key of Object.keys(this.value as object)) {
      if (this.taken.has(key) || key === 'note') continue
      const known = [...this.taken].join(', ')
      throw this.field(key).refusal(`left out: the fields here are ${known}, note`)
    }
  }

  items(): JsonNode[] {
    if (!Array.isArray(this.value)) throw this.refusal('a list')
    return this.value.map(
      (item: unknown, i) => new JsonNode(this.file, `${this.place}[${i}]`, item),
    )
  }

  text(wants = 'a text', isGood: (text: string) => boolean = (text) => text !== ''): string {
    if (typeof this.value !== 'string' || !isGood(this.value)) throw this.refusal(wants)
    return this.value
  }

  oneOf<T extends string>(choices: readonly T[]): T {
    const found = choices.find((choice) => choice === this.value)
    if (found === undefined) throw this.refusal(`one of ${choices.join(', ')}`)
    return found
  }

  number(wants: string, isGood: (n: number) => boolean): number {
    if (typeof this.value !== 'number' || !isGood(this.value)) throw this.refusal(wants)
    return this.value
  }

  yesNo(): boolean {
    if (typeof this.value !== 'boolean') throw this.refusal('true or false')
    return this.value
  }

  /** What `read` makes of it, or undefined where it is missing. */
  optional<T>(read: (node: JsonNode) => T): T | undefined {
    return this.isMissing ? undefined : read(this)
  }
}

function shown(value: unknown): string {
  const text = JSON.stringify(value)
  return text.length > SHOWN_MAX ? `${text.slice(0, SHOWN_MAX)}...` : text
}

/**
 * @param setting The environment variable that names the file, for the error.
 * @throws file.unreadable, file.notJson.
 */
export async function readJsonFile(file: string, setting: string): Promise<JsonNode> {
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (error) {
    throw fileErrors.unreadable({ file, detail: messageOf(error), setting }, error)
  }
  try {
    return new JsonNode(file, '', JSON.parse(text))
  } catch (error) {
    throw fileErrors.notJson({ file, detail: messageOf(error) }, error)
  }
}

/** Whether the name is one that the time zone database of this Node knows. */
export function isZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name })
    return true
  } catch {
    return false
  }
}
