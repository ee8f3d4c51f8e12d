/** A command that publishes a reading of the present, for who has none yet. */
export function exampleOf(meterId: string): string {
  const at = new Date().toISOString().slice(0, 19)
  const payload = `{"at":"${at}Z","power_w":512.5}`
  return `mosquitto_pub -p 1883 -q 1 -t fleet/demo/${meterId}/readings -m '${payload}'`
}
