/**
 * Set-up cannot go on. `what` is one sentence, `remedy` the next thing to do, `tail` the last
 * output.
 */
export class SetupError extends Error {
  /**
   * @param {string} what
   * @param {string} remedy
   * @param {readonly string[]} [tail]
   */
  constructor(what, remedy, tail = []) {
    super(what)
    this.name = 'SetupError'
    this.what = what
    this.remedy = remedy
    this.tail = tail
  }

  /** As it is shown to a person. */
  render() {
    const output = this.tail.map((line) => `    ${line}`)
    return [`set-up: ${this.what}`, ...output, this.remedy].join('\n')
  }
}

/** Of set-up that cannot go on, so that a caller can tell it from a failed command. */
export const SETUP_EXIT_CODE = 3
