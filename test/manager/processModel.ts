import { assert } from "@effect/vitest"
import * as Schema from "effect/Schema"
import { setTimeout } from "node:timers/promises"
import { StopReport } from "../../src/index.ts"
import { JobInfo, writePlace } from "../../src/manager/models.ts"
import { Started } from "../support/cli.ts"
import { FeedReader, readEvents } from "../support/feedReader.ts"
import { assertEnded, assertWhole, type EndedJob } from "./endedJobs.ts"
import type { Operation } from "./processOperations.ts"
import { fixture, TestedManager } from "./testedManager.ts"
import { hourMs, pick, submissionOf } from "./witnessSubmissions.ts"
import { isRunning, readWitnesses, stillRunning, type Witness } from "./witnesses.ts"

const concurrency = 2
const infos = Schema.decodeUnknownSync(Schema.fromJsonString(Schema.Array(JobInfo)))
const report = Schema.decodeUnknownSync(Schema.fromJsonString(StopReport))

const modes = ["drain", "cancel", "kill"] as const
const shifts = [-2 * hourMs, 2 * hourMs, -60_000, 24 * hourMs]

interface Client {
  readonly id: string
  readonly process: Started
}

/** What is known of the jobs of a manager, from what it has answered. */
export class ProcessModel implements AsyncDisposable {
  readonly #manager: TestedManager
  /** All that was submitted, by id. */
  readonly #submissions = new Map<string, object>()
  /** The jobs that a manager has answered for. */
  readonly #answered = new Set<string>()
  /** The jobs that somebody has asked to remove: whether they are, is known only from an answer, which may be lost. */
  readonly #unsure = new Set<string>()
  /** The outcome of each of those when it was first seen to have stopped. */
  readonly #outcomes = new Map<string, string | undefined>()
  readonly #readers: Array<FeedReader> = []
  /** The clients that nobody has killed. */
  readonly #clients: Array<Client> = []
  readonly #asked: Array<Promise<void>> = []

  private constructor(manager: TestedManager) {
    this.#manager = manager
  }

  static async start(): Promise<ProcessModel> {
    const args = ["--jobs", fixture("./fixtures/witness.ts"), "--concurrency", String(concurrency), "--spares", "1"]
    return new ProcessModel(await TestedManager.start(args))
  }

  async apply(operation: Operation): Promise<void> {
    const done = this.#do(operation)
    this.#asked.push(done)
    // it is awaited at the end, too
    done.catch(() => {})
    const isOfManager = operation.do.startsWith("manager")
    if (isOfManager) await done
    else if (operation.waits) await Promise.race([done, setTimeout(5_000)])
    assert.deepStrictEqual(readWitnesses(this.#manager.journal).filter(isFault), [])
  }

  #do({ do: what, job, way }: Operation): Promise<void> {
    const id = this.#idOf(job)
    switch (what) {
      case "submit":
        return this.#submit(way)
      case "submit again":
        return this.#submitAgain(id, way % 3 === 0)
      case "stop":
        return this.#request("POST", `/jobs/${id}/stop`, { mode: pick(modes, way), reason: "asked" })
      case "delete":
      case "force":
        this.#unsure.add(id)
        return this.#request("DELETE", `/jobs/${id}${what === "force" ? "?force" : ""}`)
      case "clean":
        return this.#clean()
      case "page":
        return this.#page(1 + way % 4)
      case "follow":
        this.#readers.push(new FeedReader(id, (path, init) => this.#manager.server.fetch(path, init)))
        return Promise.resolve()
      case "a moment":
        return setTimeout(way)
      case "a job begins":
        return this.#awaitBegin(readWitnesses(this.#manager.journal).length)
      case "client starts":
        return this.#startClient(way)
      case "client is killed":
        this.#clients.splice(way % 2, 1)[0]?.process.signal("SIGKILL")
        return Promise.resolve()
      case "job is killed": {
        const jobs = stillRunning(this.#manager.journal).filter(({ kind }) => kind === "job")
        if (jobs.length > 0) process.kill(pick(jobs, way).pid, "SIGKILL")
        return Promise.resolve()
      }
      case "manager is killed":
        return this.#killManager(way)
      case "manager is stopped":
        return this.#manager.end("SIGTERM").then(() => this.#manager.again())
      case "store is away":
        return Promise.resolve(this.#manager.takeStoreAway())
      case "store is back":
        return Promise.resolve(this.#manager.bringStoreBack())
      case "clock is moved":
        return Promise.resolve(this.#manager.moveClock(pick(shifts, way)))
    }
  }

  /** One of the latest jobs. */
  #idOf(job: number): string {
    const ids = [...this.#submissions.keys()].slice(-5)
    return ids.length === 0 ? "none" : pick(ids, job)
  }

  async #request(method: string, path: string, body?: object): Promise<void> {
    await this.#manager.ask(method, path, body)
  }

  #submit(way: number): Promise<void> {
    const id = `job-${this.#submissions.size}`
    this.#submissions.set(id, submissionOf({ id, journal: this.#manager.journal, concurrency }, way))
    return this.#submitAgain(id, false)
  }

  async #submitAgain(id: string, isOther: boolean): Promise<void> {
    const submission = this.#submissions.get(id)
    if (submission === undefined) return
    const wasThere = this.#isSure(id)
    const answer = await this.#manager.ask("POST", "/jobs", isOther ? { ...submission, priority: 7 } : submission)
    if (wasThere && this.#isSure(id)) assert.notStrictEqual(answer?.status, isOther ? 201 : 409, id)
    if (answer?.status === 201 && !isOther) this.#answered.add(id)
  }

  #isSure(id: string): boolean {
    return this.#answered.has(id) && !this.#unsure.has(id)
  }

  async #clean(): Promise<void> {
    const before = new Date(Date.now() + 1_000 * hourMs).toISOString()
    for (const id of this.#answered) this.#unsure.add(id)
    await this.#request("POST", "/jobs/clean", { before })
  }

  /** Reads all pages. They have each job that was there before and that nobody has removed. */
  async #page(limit: number): Promise<void> {
    const sure = [...this.#answered].filter((id) => this.#isSure(id))
    const listed: Array<JobInfo> = []
    for (;;) {
      const last = listed.at(-1)
      const before = last === undefined ? "" : `&before=${encodeURIComponent(writePlace(last))}`
      const answer = await this.#manager.ask("GET", `/jobs?limit=${limit}${before}`)
      if (answer?.status !== 200) return
      const page = infos(answer.text)
      if (page.length === 0) break
      listed.push(...page)
    }
    const ids = new Set(listed.map(({ id }) => id))
    assert.strictEqual(ids.size, listed.length, "a job is on two pages")
    assert.deepStrictEqual(sure.filter((id) => this.#isSure(id) && !ids.has(id)), [], "a job is on no page")
    this.#seeOutcomes(listed)
  }

  /** What has stopped stays as it is. */
  #seeOutcomes(jobs: ReadonlyArray<JobInfo>): void {
    for (const { id, outcome, state } of jobs) {
      if (state !== "stopped" || !this.#isSure(id)) continue
      if (this.#outcomes.has(id)) assert.strictEqual(outcome, this.#outcomes.get(id), id)
      this.#outcomes.set(id, outcome)
    }
  }

  async #startClient(way: number): Promise<void> {
    const id = `job-${this.#submissions.size}`
    const { payload } = submissionOf({ id, journal: this.#manager.journal, concurrency }, way)
    this.#submissions.set(id, { id, job: "witness", payload })
    const args = [fixture("./operations.client.ts"), this.#manager.server.url, JSON.stringify(payload)]
    const process = new Started(args)
    this.#clients.push({ id, process })
    await process.said("submitted").catch(() => {})
  }

  /** The jobs see that it is gone, and end. They may be killed with it, or be so slow that the next one is there before. */
  async #killManager(way: number): Promise<void> {
    await this.#manager.end("SIGKILL")
    const jobs = stillRunning(this.#manager.journal).filter(({ kind }) => kind === "job")
    const signal = pick(["none", "SIGKILL", "SIGSTOP"] as const, way)
    if (signal !== "none") { for (const { pid } of jobs) process.kill(pid, signal) }
    await this.#manager.again()
    if (signal !== "SIGSTOP" || jobs.length === 0) return
    this.#asked.push(this.#submit(way), this.#submit(way >> 1))
    await this.#awaitBegin(readWitnesses(this.#manager.journal).length)
    for (const { pid } of jobs.filter(isRunning)) process.kill(pid, "SIGCONT")
  }

  /** Waits until a job has begun since; not for long, because perhaps none is to. */
  async #awaitBegin(before: number): Promise<void> {
    for (let turn = 0; turn < 60 && readWitnesses(this.#manager.journal).length === before; turn++) {
      await setTimeout(50)
    }
  }

  /** Lets everything end, and checks what must hold. */
  async end(): Promise<void> {
    this.#manager.bringStoreBack()
    await this.#manager.ready()
    await Promise.all(this.#asked)
    const jobs = await this.#stopAll()
    this.#seeOutcomes(jobs.map(({ info }) => info))
    assertEnded(jobs, [...this.#answered].filter((id) => this.#isSure(id)))
    for (const reader of this.#readers) await this.#checkReader(reader, jobs)
    for (const client of this.#clients) await this.#checkClient(client, jobs)
    await this.#manager.end("SIGTERM")
    assert.deepStrictEqual(stillRunning(this.#manager.journal), [], "something is left running")
    assert.deepStrictEqual(this.#manager.leftFiles, [])
    assert.deepStrictEqual(readWitnesses(this.#manager.journal).filter(isFault), [])
  }

  async #stopAll(): Promise<ReadonlyArray<EndedJob>> {
    for (;;) {
      const listed = infos(await this.#read("/jobs?limit=1000"))
      const active = listed.filter(({ state }) => state !== "stopped")
      if (active.length === 0) return Promise.all(listed.map((info) => this.#endedJob(info)))
      for (const { id } of active) await this.#request("POST", `/jobs/${id}/stop`, { mode: "cancel" })
      await Promise.all(active.map(({ id }) => this.#read(`/jobs/${id}/events?follow=true`)))
    }
  }

  async #endedJob(info: JobInfo): Promise<EndedJob> {
    return {
      info,
      report: report(await this.#read(`/jobs/${info.id}/report`)),
      events: readEvents(await this.#read(`/jobs/${info.id}/events`))
    }
  }

  async #read(path: string): Promise<string> {
    const answer = await this.#manager.ask("GET", path)
    if (answer === undefined || answer.status >= 400) assert.fail(`${path}: ${answer?.text}`)
    return answer.text
  }

  /** Who follows a job has all of its events, however often the manager was gone meanwhile. */
  async #checkReader(reader: FeedReader, jobs: ReadonlyArray<EndedJob>): Promise<void> {
    const job = jobs.find(({ info }) => info.id === reader.id)
    const how = await reader.ended
    assertWhole(reader.events, `the events of ${reader.id}`)
    // it may have asked before there was the job
    const isEarly = how === "removed" && reader.events.length === 0
    if (job !== undefined && this.#isSure(reader.id) && !isEarly) assert.deepStrictEqual(reader.events, job.events)
  }

  async #checkClient({ id, process }: Client, jobs: ReadonlyArray<EndedJob>): Promise<void> {
    const job = jobs.find(({ info }) => info.id === id)
    const code = await process.ended()
    // its submit may have met a manager that was down
    if (job === undefined || this.#unsure.has(id) || !process.stdout.includes("submitted")) return
    assert.strictEqual(code, 0, process.stderr)
    const seen = process.stdout.trim().split("\n").filter((line) => line.startsWith("{"))
    assert.deepStrictEqual(seen, job.events.map(({ event }) => JSON.stringify(event)))
    assert.include(process.stdout, String(job.info.outcome))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const reader of this.#readers) reader.abort()
    for (const { process } of this.#clients) process.signal("SIGKILL")
    const left = stillRunning(this.#manager.journal)
    await this.#manager[Symbol.asyncDispose]()
    for (const { pid } of left.filter(isRunning)) process.kill(pid, "SIGKILL")
  }
}

const isFault = ({ kind }: Witness): boolean => kind === "twice" || kind === "crowded"
