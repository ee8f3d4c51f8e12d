import type { ComponentChildren } from 'preact'
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks'
import { Icon } from './icons.tsx'
import { seenRows } from './virtual.ts'

export interface Column<Row> {
  readonly key: string
  readonly name: string
  readonly cell: (row: Row) => ComponentChildren
  /** Classes of the column: `right`, `wide` (left out on narrow screens), `grow`. */
  readonly class?: string
  /** Whether rows can be sorted by it. */
  readonly sorts?: boolean
}

export interface Sorting {
  readonly key: string
  readonly isDescending: boolean
}

interface VirtualTableProps<Row> {
  readonly label: string
  readonly rows: readonly Row[]
  readonly rowKey: (row: Row) => string
  readonly rowClass?: (row: Row) => string
  readonly columns: readonly Column<Row>[]
  readonly rowHeight?: number
  readonly sorting?: Sorting
  readonly onSort?: (key: string) => void
  /** More rows may be there: called when the end comes near. */
  readonly onNearEnd?: () => void
  readonly onSeen?: (rows: readonly Row[]) => void
  readonly onScrolled?: (isAtTop: boolean) => void
  readonly empty?: ComponentChildren
}

const NEAR_ROWS = 20

/** A table of any length of which only the rows in sight are drawn. */
export function VirtualTable<Row>(props: VirtualTableProps<Row>) {
  const { label, rows, rowKey, columns, rowHeight = 40 } = props
  const box = useRef<HTMLDivElement>(null)
  const [scrolled, setScrolled] = useState(0)
  const [height, setHeight] = useState(600)
  useLayoutEffect(() => {
    const element = box.current!
    const watch = new ResizeObserver(() => setHeight(element.clientHeight))
    watch.observe(element)
    return () => watch.disconnect()
  }, [])
  const { first, end } = seenRows(rows.length, rowHeight, scrolled, height)
  useEffect(() => {
    if (rows.length > 0 && end > rows.length - NEAR_ROWS) props.onNearEnd?.()
  }, [end, rows.length])
  useEffect(() => props.onSeen?.(rows.slice(first, end)), [first, end, rows])
  const onScroll = () => {
    const top = box.current!.scrollTop
    setScrolled(top)
    props.onScrolled?.(top < rowHeight)
  }
  return (
    <div
      class="table-box"
      ref={box}
      onScroll={onScroll}
      tabIndex={0}
      role="region"
      aria-label={label}
    >
      <table aria-rowcount={rows.length + 1}>
        <Head {...props} />
        <tbody onKeyDown={(event) => moveByKeys(event, box.current!, rowHeight)}>
          <Spacer height={first * rowHeight} columns={columns.length} />
          {rows.slice(first, end).map((row, index) => (
            <tr
              key={rowKey(row)}
              aria-rowindex={first + index + 2}
              class={props.rowClass?.(row) ?? ''}
              style={{ height: `${rowHeight}px` }}
            >
              {columns.map((column) => (
                <td key={column.key} class={column.class ?? ''}>
                  {column.cell(row)}
                </td>
              ))}
            </tr>
          ))}
          <Spacer height={(rows.length - end) * rowHeight} columns={columns.length} />
        </tbody>
      </table>
      {rows.length === 0 ? props.empty : null}
    </div>
  )
}

function Spacer({ height, columns }: { readonly height: number; readonly columns: number }) {
  if (height <= 0) return null
  return (
    <tr class="spacer" aria-hidden="true">
      <td colSpan={columns} style={{ height: `${height}px` }} />
    </tr>
  )
}

function Head<Row>({ columns, sorting, onSort }: VirtualTableProps<Row>) {
  return (
    <thead>
      <tr aria-rowindex={1}>
        {columns.map(({ key, name, sorts = false, class: classes = '' }) => {
          const isSorted = sorting?.key === key
          const order = sorting?.isDescending === true ? 'descending' : 'ascending'
          return (
            <th key={key} scope="col" class={classes} {...(isSorted ? { 'aria-sort': order } : {})}>
              {sorts ? (
                <button type="button" onClick={() => onSort?.(key)}>
                  {name}
                  {isSorted ? <Icon name={order === 'descending' ? 'down' : 'up'} /> : null}
                </button>
              ) : (
                name
              )}
            </th>
          )
        })}
      </tr>
    </thead>
  )
}

/** Up and down go from row to row, as one expects of a list. */
function moveByKeys(event: KeyboardEvent, box: HTMLElement, rowHeight: number): void {
  const by = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0
  const row = (event.target as HTMLElement).closest('tr')
  if (by === 0 || row === null) return
  const sibling = by === 1 ? row.nextElementSibling : row.previousElementSibling
  const link = sibling?.querySelector('a')
  if (!link) return
  event.preventDefault()
  link.focus({ preventScroll: true })
  // The head of the table stays in place, and must not lie on the row.
  const top = link.getBoundingClientRect().top - box.getBoundingClientRect().top
  if (top < rowHeight * 1.5) box.scrollTop -= rowHeight
  else if (top > box.clientHeight - rowHeight) box.scrollTop += rowHeight
}
