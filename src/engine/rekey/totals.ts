import { LIMITS } from '../../kernel/limits.ts'
import { MICROS_PER_MILLI } from '../../kernel/time.ts'
import type { Contribution } from '../../schemas/records.ts'
import type { Plain, StatePart } from '../state/part.ts'
import type { TaskState } from '../state/task-state.ts'
import type { Emit } from '../windows.ts'
import { FINAL, Groups, PROVISIONAL, UNKNOWN } from './groups.ts'
import { Members, NONE } from './members.ts'
import type { Total, TotalsOptions } from './nodes.ts'
import type { Sources } from './sources.ts'
import { TotalView } from './total-view.ts'
import type { TotalsCounts } from './totals-counts.ts'

/**
 * Totals over the meters of each scope (a tenant, a place), by channel and window.
 *
 * What a member gives replaces what it gave before, and sums are exact: they do not depend on the
 * order in which contributions come. A window is open for `keepMillis` of append time from the
 * first reading that gave to it; append time is that of the readings, so that it is the same window
 * whether stage one was ahead or behind.
 */
export class TotalsState implements StatePart {
  readonly bytes = 0
  readonly arrays = {}
  emit: Emit<Total> = () => undefined
  readonly members: Members
  readonly groups: Groups
  private readonly options: TotalsOptions
  private readonly sources: Sources
  private readonly counts: TotalsCounts
  private readonly total = new TotalView()
  /** The groups that wait to be emitted, in the order in which they first changed. */
  private firstWaiting = NONE
  private lastWaiting = NONE
  /** Revision of the record that is being taken in. */
  private revision = 0

  constructor(options: TotalsOptions, sources: Sources, counts: TotalsCounts) {
    this.options = options
    this.sources = sources
    this.counts = counts
    this.members = new Members(options.widths)
    this.groups = new Groups(options.widths.length)
  }

  addTo(state: TaskState, node: string): void {
    this.members.addTo(state, node)
    this.groups.addTo(state, node)
    state.add(node, 'waiting', this)
  }

  save(): Plain {
    return { firstWaiting: this.firstWaiting, lastWaiting: this.lastWaiting }
  }

  load(plain: Plain): void {
    Object.assign(this, plain)
    // A snapshot has no pages that were never written; by now all keys are there.
    this.members.grow()
    this.groups.grow()
  }

  /** A record of which `sources` knows already. */
  take(contribution: Contribution, revision: number): void {
    this.revision = revision
    const { kind } = contribution
    if (kind === 'pane') this.counts.contributions++
    for (const { scope, idOf } of kind === 'clock' ? [] : this.options.scopes) {
      const id = idOf(contribution)
      if (id === undefined) continue
      const { tenant, meterId, channel } = contribution
      // No name holds a control character.
      const groupKey = `${scope}\0${tenant}\0${id}\0${channel}`
      const key = Buffer.from(`${groupKey}\0${meterId}`)
      const known = this.members.find(key)
      if (kind === 'silent') {
        if (known !== NONE) this.fallSilent(known)
        continue
      }
      const member = known === NONE ? this.join(key, groupKey) : known
      this.hear(member)
      if (kind === 'pane') this.give(member, contribution)
    }
    this.fallSilentAfter()
  }

  private join(key: Buffer, groupKey: string): number {
    const group = this.groups.slotOf(Buffer.from(groupKey))
    return this.members.add(key, group, this.sources.aliveMillis)
  }

  private hear(member: number): void {
    const { silent } = this.members.set.columns
    this.members.heard(member, this.sources.aliveMillis)
    if (silent.get(member) === 0) return
    silent.set(member, 0)
    this.countSilent(member, -1)
  }

  private fallSilent(member: number): void {
    const { silent } = this.members.set.columns
    if (silent.get(member) === 1) return
    this.members.remove(member)
    silent.set(member, 1)
    this.countSilent(member, 1)
  }

  private countSilent(member: number, by: number): void {
    const { newest, group } = this.members.set.columns
    for (let width = 0; width < this.options.widths.length; width++) {
      const start = newest.get(member, width)
      if (!isNaN(start)) this.groups.countNewest(group.get(member), width, start, true, by)
    }
    this.wait(group.get(member))
  }

  /** Who was last heard of too long ago is silent. */
  private fallSilentAfter(): void {
    const { heardMillis } = this.members.set.columns
    const before = this.sources.aliveMillis - this.options.silentAfterMillis
    while (this.members.first !== NONE && heardMillis.get(this.members.first) < before) {
      this.fallSilent(this.members.first)
    }
  }

  private give(member: number, { width: name, start, appended, ...c }: Contribution): void {
    const { groups, members, counts, options } = this
    const width = options.widths.findIndex((one) => one.width === name)
    const end = width < 0 ? NaN : start + options.widths[width]!.micros
    // The total of a time that has not come yet would be one meter's clock.
    if (!(end <= appended * MICROS_PER_MILLI + LIMITS.futureMicrosMax)) {
      counts.ahead++
      return
    }
    const group = members.set.columns.group.get(member)
    const index = this.opened(group, width, start, appended)
    this.progress(member, group, width, start)
    if (index === NONE || !members.remembers(member, width, start)) {
      counts.late++
      return
    }
    const since = groups.get(group, width, index, 'since')
    if (appended >= since + options.keepMillis) {
      counts.late++
      return
    }
    groups.put(group, width, index, 'since', Math.min(since, appended))
    if (members.gave(member, width, start)) groups.give(group, width, index, members.given, -1)
    const value = c.value ?? NaN
    const energyWh = c.energyWh ?? NaN
    members.give(member, width, start, value, energyWh)
    groups.give(group, width, index, { value, energyWh }, 1)
    groups.put(group, width, index, 'changed', 1)
    groups.put(group, width, index, 'revision', this.revision)
  }

  /** The index of the window, opened where it is new; NONE where it is closed for ever. */
  private opened(group: number, width: number, start: number, appended: number): number {
    const { groups } = this
    this.closeDue(group, width)
    const found = groups.find(group, width, start)
    if (found !== NONE) return found
    const { closed } = groups.set.columns
    if (groups.count(group, width) === LIMITS.totalsWindowsMax) this.closeFirst(group, width)
    if (start <= closed.get(group, width) || this.isPassed(group, width, start, appended))
      return NONE
    const index = groups.open(group, width, start)
    groups.put(group, width, index, 'since', appended)
    return index
  }

  /** Whether a later window has been open for as long as any: then this one is late. */
  private isPassed(group: number, width: number, start: number, appended: number): boolean {
    const { groups, options } = this
    for (let index = groups.count(group, width) - 1; index >= 0; index--) {
      if (groups.get(group, width, index, 'start') < start) return false
      if (appended >= groups.get(group, width, index, 'since') + options.keepMillis) return true
    }
    return false
  }

  /** The member's newest window moves. */
  private progress(member: number, group: number, width: number, start: number): void {
    const { newest } = this.members.set.columns
    const before = newest.get(member, width)
    this.wait(group)
    if (isNaN(before)) this.groups.countFirst(group, width, start)
    else if (start <= before) return
    else this.groups.countNewest(group, width, before, false, -1)
    newest.set(member, start, width)
    this.groups.countNewest(group, width, start, false, 1)
  }

  private wait(group: number): void {
    const { waits, next } = this.groups.set.columns
    if (waits.get(group) === 1) return
    waits.set(group, 1)
    next.set(group, NONE)
    if (this.lastWaiting === NONE) this.firstWaiting = group
    else next.set(this.lastWaiting, group)
    this.lastWaiting = group
  }

  /** Emits what has changed since the last time, or become final, before a record is taken in. */
  emitChanged(revision: number): void {
    this.revision = revision
    const { waits, next } = this.groups.set.columns
    while (this.firstWaiting !== NONE) {
      const group = this.firstWaiting
      this.firstWaiting = next.get(group)
      waits.set(group, 0)
      for (let width = 0; width < this.options.widths.length; width++) {
        this.closeDue(group, width)
        this.emitOpen(group, width)
      }
    }
    this.lastWaiting = NONE
  }

  private emitOpen(group: number, width: number): void {
    const { groups } = this
    const { behind, behindSilent, joinedBefore } = groups.set.columns
    // Members that have not come as far as the window; those of them that are silent; those that
    // have been there.
    let passed = behind.get(group, width)
    let silent = behindSilent.get(group, width)
    let joined = joinedBefore.get(group, width)
    for (let index = 0; index < groups.count(group, width); index++) {
      joined += groups.get(group, width, index, 'joined')
      const awaited = passed - silent
      const emitted = groups.get(group, width, index, 'emitted')
      const changed = groups.get(group, width, index, 'changed') === 1
      if (changed || (awaited === 0 && emitted === PROVISIONAL)) {
        this.emitWindow(group, width, index, awaited + joined - passed, awaited === 0)
      }
      passed += groups.get(group, width, index, 'newest')
      silent += groups.get(group, width, index, 'newestSilent')
    }
  }

  private closeDue(group: number, width: number): void {
    const { groups, options, sources } = this
    while (
      groups.count(group, width) > 0 &&
      groups.get(group, width, 0, 'since') + options.keepMillis <= sources.heardMillis
    ) {
      this.closeFirst(group, width)
    }
  }

  /** The oldest window takes nothing any more: as it is, it is final. */
  private closeFirst(group: number, width: number): void {
    const { groups } = this
    const emitted = groups.get(group, width, 0, 'emitted')
    if (emitted !== FINAL || groups.get(group, width, 0, 'changed') === 1) {
      const { behindSilent, joinedBefore } = groups.set.columns
      const there = joinedBefore.get(group, width) + groups.get(group, width, 0, 'joined')
      this.emitWindow(group, width, 0, there - behindSilent.get(group, width), true)
    }
    groups.closeFirst(group, width)
  }

  private emitWindow(
    group: number,
    width: number,
    index: number,
    expected: number,
    isFinal: boolean,
  ): void {
    const { groups, total } = this
    const changed = groups.get(group, width, index, 'changed') === 1
    const reporting = groups.get(group, width, index, 'reporting')
    total.restated = groups.get(group, width, index, 'emitted') !== UNKNOWN
    // What nobody was told of and holds nothing is not told.
    if (reporting === 0 && !total.restated) return
    groups.put(group, width, index, 'emitted', isFinal ? FINAL : PROVISIONAL)
    groups.put(group, width, index, 'changed', 0)
    const { width: name, micros } = this.options.widths[width]!
    const names = groups.keyOf(group).split('\0')
    total.scope = names[0]!
    total.tenant = names[1]!
    total.scopeId = names[2]!
    total.channel = names[3]!
    total.width = name
    total.start = groups.get(group, width, index, 'start')
    total.end = total.start + micros
    total.sum = groups.sum(group, width, index, 'value')
    total.mean = total.sum / groups.get(group, width, index, 'values')
    total.energyWh = groups.sum(group, width, index, 'energy')
    total.reporting = reporting
    total.expected = Math.max(expected, reporting)
    total.final = isFinal
    total.revision = changed ? groups.get(group, width, index, 'revision') : this.revision
    this.emit(group, total)
  }
}
