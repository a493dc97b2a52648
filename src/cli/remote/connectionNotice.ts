/** The time after which a connection that has sent nothing, not even a heartbeat, is lost. */
export const silenceMs = 45_000

/** Says once that the connection to a manager is lost, and once that it is back. */
export class ConnectionNotice {
  #isLost = false
  readonly #url: string

  constructor(url: string) {
    this.#url = url
  }

  readonly lost = (): void => {
    if (!this.#isLost) process.stderr.write(`autostop: the connection to ${this.#url} is lost; trying again\n`)
    this.#isLost = true
  }

  readonly heard = (): void => {
    if (this.#isLost) process.stderr.write("autostop: connected again\n")
    this.#isLost = false
  }
}
