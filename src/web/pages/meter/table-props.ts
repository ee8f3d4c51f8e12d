import type { Picture } from '../../chart/compose.ts'
import type { View } from '../../chart/view.ts'

/** What a table of the meter's page tells of. */
export interface TableProps {
  readonly meterId: string
  readonly channel: string
  readonly zone: string
  readonly unit: string
  readonly picture: Picture
  readonly view: View
}
